"""Remembers the configuration options that have been looked up.

miniwdl looks up some twenty options a task, each through three parsers that copy and expand as they go: 0.1 ms a task.
Here an option that was found is remembered until `override` or `plugin_defaults` is called. What may be told apart: an
option that this process sets in its own environment after it was first looked up, or in the loader's parsers behind its
back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .replacement import Replacement

if TYPE_CHECKING:
    from WDL.runtime.config import Loader

    _Change = Callable[[Loader, dict[str, dict[str, Any]]], None]

__all__ = ["OPTIONS"]

_FOUND = "_cromulent_found"


def _replace(config: ModuleType) -> None:
    loader = config.Loader
    find = loader.get

    def get(self: Loader, section: str, key: str, default: str | None = None) -> str:
        """Return an option's value, or the default; raise ConfigMissing where there is neither."""
        found: dict[tuple[str, str], str] = vars(self).setdefault(_FOUND, {})
        option = section, key
        if option not in found:
            value: str = find(self, section, key, default)
            if (str(section).lower(), str(key).lower()) not in self._used:  # it is the default
                return value
            found[option] = value
        return found[option]

    loader.get = get
    loader.override = _forgetting(loader.override)
    loader.plugin_defaults = _forgetting(loader.plugin_defaults)


def _forgetting(change: _Change) -> _Change:
    @functools.wraps(change)
    def changing(self: Loader, options: dict[str, dict[str, Any]]) -> None:
        change(self, options)
        vars(self).pop(_FOUND, None)

    return changing


OPTIONS = Replacement(
    "options",
    "WDL.runtime.config",
    {
        "Loader.get": "ff7c5659a0d6fe2cf8ce",
        "Loader.override": "01aff10d7f0da3aabccb",
        "Loader.plugin_defaults": "5c2e35c48540302f6f3c",
    },
    _replace,
)
