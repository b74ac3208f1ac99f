"""Makes WDL's standard library when its first function is used.

miniwdl makes four of them a task, each of some sixty function objects, and most tasks use one or two. Here a library
remembers how it was asked for, and the original constructor fills it at the first look-up of a name that it does not
have yet. What was set on it in the meantime stays set, as it would have been set after the constructor. What may be
told apart: `vars()` of a library nobody has used is short.
"""

from __future__ import annotations

import tempfile
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .replacement import Replacement

if TYPE_CHECKING:
    from WDL.StdLib import Base, EvalContext

__all__ = ["LIBRARY"]

_UNFILLED = "_cromulent_unfilled"


def _replace(library: ModuleType) -> None:
    fill = library.Base.__init__

    def __init__(self: Base, wdl_version: str, write_dir: str = "", *, eval_context: EvalContext | None = None) -> None:
        self.wdl_version = wdl_version
        self._write_dir = write_dir or tempfile.gettempdir()
        self.eval_context = eval_context or library.EvalContext()
        setattr(self, _UNFILLED, True)

    def __getattr__(self: Base, name: str) -> Any:
        """Fill the library, and look again; Python comes here for names that were not found."""
        known = vars(self)
        if not known.pop(_UNFILLED, False):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        set_since = dict(known)
        fill(self, self.wdl_version, self._write_dir, eval_context=self.eval_context)
        known.update(set_since)
        return getattr(self, name)

    library.Base.__init__ = __init__
    library.Base.__getattr__ = __getattr__


LIBRARY = Replacement("library", "WDL.StdLib", {"Base.__init__": "4f5047c7deea411eb529"}, _replace)
