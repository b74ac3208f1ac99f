"""Applies the replacements that the environment allows, each once in a process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ...errors import SettingsError
from .build_errors import BUILDS
from .chosen_backend import BACKEND
from .containment import CONTAINMENT
from .parser_tables import PARSER
from .permissions import PERMISSIONS
from .plugin_lookup import PLUGINS
from .settled_options import OPTIONS
from .source_places import PLACES
from .standard_library import LIBRARY
from .temporary_names import NAMES
from .value_paths import PATHS
from .waiting_jobs import JOBS

__all__ = ["PARSING", "PLAIN", "RUNNING", "install", "state"]

VARIABLE = "CROMULENT_TUNING"
_ALL = (PARSER, PLUGINS, LIBRARY, PERMISSIONS, JOBS, OPTIONS, PATHS, NAMES, PLACES, CONTAINMENT, BACKEND, BUILDS)
_REPLACEMENTS = {each.name: each for each in _ALL}
PARSING = ("parser",)
"""What pays off where WDL is only read; importing `WDL.runtime` for the others would cost more than they save."""
PLAIN = ("plugins",)
"""What plain `miniwdl run` gets with our backend: it reads what is installed, and leaves the engine's work alone."""
RUNNING = tuple(_REPLACEMENTS)
ON = "on"

_outcomes: dict[str, str] = {}


def install(names: Iterable[str] = RUNNING) -> Mapping[str, str]:
    """Apply the named replacements, and return for each one so far whether it is `on`, or why it is not.

    Raises SettingsError if the environment names a replacement that does not exist.
    """
    asked = os.environ.get(VARIABLE, "").strip()
    allowed = _allowed(asked)
    for name in names:
        if _outcomes.get(name) != ON:
            reason = _REPLACEMENTS[name].apply() if name in allowed else f"{VARIABLE}={asked}"
            _outcomes[name] = ON if reason is None else f"off: {reason}"
    return dict(_outcomes)


def _allowed(asked: str) -> frozenset[str]:
    if not asked:
        return frozenset(RUNNING)
    if asked == "off":
        return frozenset()
    names = asked.replace(",", " ").split()
    for name in names:
        if name not in RUNNING:
            raise SettingsError(
                f"{VARIABLE} names no replacement '{name}'", hint=f"write off, or some of {', '.join(RUNNING)}"
            )
    return frozenset(names)


def state() -> str:
    """Say in one line which replacements work with the miniwdl that is installed."""
    outcomes = install()
    if set(outcomes.values()) == {ON}:
        return ON
    if len(set(outcomes.values())) == 1:
        return next(iter(outcomes.values()))
    from importlib import metadata  # slow to import, and of no use to `install`

    known = "" if ON in outcomes.values() else f"off for miniwdl {metadata.version('miniwdl')}; "
    return known + "; ".join(f"{name} {outcome}" for name, outcome in outcomes.items())
