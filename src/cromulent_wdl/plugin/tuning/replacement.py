"""What a replacement is, and how it is told whether it may be applied."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import ModuleType

__all__ = ["Replacement", "digest"]


@dataclass(frozen=True)
class Replacement:
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
        source = inspect.getsource(attrgetter(function)(module))
    except (AttributeError, TypeError, OSError):
        return None
    return hashlib.sha256(source.encode()).hexdigest()[:20]
