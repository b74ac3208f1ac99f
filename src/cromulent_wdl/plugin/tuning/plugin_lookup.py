"""Looks only once for the plugins that are installed.

miniwdl goes through the metadata of every installed distribution for each task: about 1 ms at 30 of them, 2 ms at 85.
The patterns by which the configuration enables and disables plugins are still applied at every call, and each plugin
is still loaded at every call. What may be told apart: a plugin installed while a workflow runs is not noticed.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .replacement import Replacement

if TYPE_CHECKING:
    from importlib import metadata

    from WDL.runtime.config import Loader

__all__ = ["PLUGINS"]


def _replace(config: ModuleType) -> None:
    from importlib import metadata  # slow to import, and of no use where WDL is only read

    @functools.cache
    def all_installed(search_path: tuple[str, ...]) -> Any:  # its type depends on Python's version
        return metadata.entry_points()  # of all groups, at the price of one

    @functools.cache
    def installed(group: str, search_path: tuple[str, ...]) -> list[metadata.EntryPoint]:
        # An assertion of the original's: an unknown group is a defect of the caller.
        defaults = config.default_plugins()
        assert group in defaults, group
        return [*defaults[group], *all_installed(search_path).select(group=f"miniwdl.plugin.{group}")]

    def load_all_plugins(cfg: Loader, group: str) -> Iterator[tuple[bool, metadata.EntryPoint]]:
        """Yield each plugin of the group, and whether the configuration enables it."""
        found = installed(group, tuple(sys.path))
        enabling = cfg["plugins"].get_list("enable_patterns")
        disabling = cfg["plugins"].get_list("disable_patterns")
        for plugin in found:
            yield _matches(plugin, enabling) and not _matches(plugin, disabling), plugin

    config.load_all_plugins = load_all_plugins  # type: ignore[attr-defined]


def _matches(plugin: metadata.EntryPoint, patterns: list[str]) -> bool:
    return any(fnmatchcase(plugin.value, pattern) for pattern in patterns)


PLUGINS = Replacement(
    "plugins",
    "WDL.runtime.config",
    {"load_all_plugins": "407c940eca3bc5868063"},
    _replace,
)
