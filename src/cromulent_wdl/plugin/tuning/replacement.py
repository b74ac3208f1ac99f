"""What a replacement is, and how it is told whether it may be applied."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from types import ModuleType

__all__ = ["Replacement", "digest"]


@dataclass(frozen=True)
class Replacement:
    """A change to one module of miniwdl, and the sources for which it was written."""

    name: str
    module: str
    functions: tuple[str, ...]
    """The functions of `module` that are replaced or relied upon."""
    digest: str
    """Of their sources."""
    replace: Callable[[ModuleType], None]

    def apply(self) -> str | None:
        """Change the module, or return in words why it is left alone."""
        module = importlib.import_module(self.module)
        found = digest(module, self.functions)
        if found is None or found != self.digest:
            return f"{self.module}'s {' or '.join(self.functions)} is not the one it was written for"
        self.replace(module)
        return None


def digest(module: ModuleType, functions: tuple[str, ...]) -> str | None:
    """Return a digest of the functions' sources; None where one is missing or has no source."""
    try:
        sources = [inspect.getsource(attrgetter(name)(module)) for name in functions]
    except (AttributeError, TypeError, OSError):
        return None
    return hashlib.sha256("".join(sources).encode()).hexdigest()[:20]
