"""Leaves the docker library out until it is used.

Before every task miniwdl imports one exception of it, that of a failed build, to know it again should the task
fail. That takes a quarter of the time in which a run of plain processes starts. Here a module stands in the place of
`docker.errors`, and a class in that of the exception, to which nothing can belong while nobody has imported the
library. Whoever imports it, or asks the stand-in for anything else, gets the real one. What may be told apart:
what lies in `sys.modules` until then.
"""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType
from typing import Any

from .replacement import Replacement

__all__ = ["BUILDS"]

_LIBRARY = "docker"
_MODULE = "docker.errors"


def _replace(_: ModuleType) -> None:
    if _LIBRARY not in sys.modules:
        sys.modules[_MODULE] = _Unloaded(_MODULE)


class _RealOne(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return _LIBRARY in sys.modules and isinstance(instance, importlib.import_module(_MODULE).BuildError)


class _BuildError(Exception, metaclass=_RealOne):
    """What miniwdl compares exceptions with; never raised."""


class _Unloaded(ModuleType):
    """`docker.errors` while the library has not been imported."""

    _leaving = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system and debuggers ask of any module
            raise AttributeError(f"module {_MODULE!r} has no attribute {name!r}")
        if name == "BuildError" and _LIBRARY not in sys.modules:
            return _BuildError
        with self._leaving:
            if sys.modules.get(_MODULE) is self:
                del sys.modules[_MODULE]
        return getattr(importlib.import_module(_MODULE), name)


BUILDS = Replacement("builds", "WDL.runtime.task", {"_try_task": "bf48288c6673d6f0d4e7"}, _replace)
