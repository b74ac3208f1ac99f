"""Works out a document's directory once.

miniwdl does so from the document's path four times a task, for each standard library that it makes. What may be told
apart: nothing, as the answer depends on that path alone.
"""

from __future__ import annotations

import functools
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

from .replacement import Replacement

if TYPE_CHECKING:
    from WDL.Error import SourceNode

__all__ = ["PLACES"]


def _replace(errors: ModuleType) -> None:
    directory_of = errors.SourceNode.source_dir.fget

    @functools.cache
    def directory_of_document(path: str) -> str:
        directory: str = directory_of(SimpleNamespace(pos=SimpleNamespace(abspath=path)))
        return directory

    def source_dir(self: SourceNode) -> str:
        """Return the local directory of the document, with a slash at its end, or nothing."""
        return directory_of_document(self.pos.abspath)

    errors.SourceNode.source_dir = property(source_dir)


PLACES = Replacement("places", "WDL.Error", {"SourceNode.source_dir.fget": "12d6c955e8f107310392"}, _replace)
