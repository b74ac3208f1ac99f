"""What a replacement is, and how it is told whether it may be applied."""

from __future__ import annotations

import hashlib
import importlib
import linecache
from collections.abc import Callable, Mapping
from operator import attrgetter
from types import FunctionType, ModuleType

import msgspec

__all__ = ["Replacement", "digest"]


class Replacement(msgspec.Struct, frozen=True):
    """A change to one module of miniwdl, and the sources for which it was written."""

    name: str
    module: str
    functions: Mapping[str, str]
    """The functions of `module` that are replaced or relied upon, each with the digest of its source."""
    replace: Callable[[ModuleType], None]

    def apply(self) -> str | None:
        """Change the module, or return in words why it is left alone."""
        module = importlib.import_module(self.module)
        for function, known in self.functions.items():
            if digest(module, function) != known:
                return f"{self.module}.{function} is not the one that it was written for"
        self.replace(module)
        return None


def digest(module: ModuleType, function: str) -> str | None:
    """Return a digest of the function's source; None where there is no such function, or no source."""
    try:
        found = attrgetter(function)(module)
    except AttributeError:
        return None
    source = _source(found) if isinstance(found, FunctionType) else ""
    return hashlib.sha256(source.encode()).hexdigest()[:20] if source else None


def _source(function: FunctionType) -> str:
    """Return what `inspect.getsource` returns for functions that are laid out as usual, without taking them to tokens.

    That would be a tenth of the time that a run takes to start.
    """
    lines = linecache.getlines(function.__code__.co_filename)[function.__code__.co_firstlineno - 1 :]
    depth = _depth(lines[0]) if lines else 0
    begun, end = False, 0
    for number, line in enumerate(lines):
        text = line.strip()
        if begun and text and _depth(line) <= depth and not text.startswith(")"):
            break
        begun = begun or text.startswith(("def ", "async def "))
        if text and not text.startswith("#"):
            end = number + 1
    return "".join(lines[:end])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
