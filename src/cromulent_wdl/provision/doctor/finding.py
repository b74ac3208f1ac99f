"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .facts import Unknown

__all__ = ["Finding", "State", "failure", "ok", "unknown", "warning"]


class State(Enum):
    """How it is; in the order of how bad."""

    OK = "ok"
    WARNING = "warning"
    """It works, but not as well as it could; or it could not be found out."""
    FAILURE = "failure"
    """Something will not work."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    check: str
    """What was checked, in a word or two."""
    state: State
    text: str
    hint: str = ""
    """What to do."""


def ok(check: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, State.OK, text)


def warning(check: str, text: str, hint: str = "") -> Finding:
    """Return a finding that all may not be well."""
    return Finding(check, State.WARNING, text, hint)


def failure(check: str, text: str, hint: str = "") -> Finding:
    """Return a finding that something will not work."""
    return Finding(check, State.FAILURE, text, hint)


def unknown(check: str, found: Unknown) -> Finding:
    """Return the finding that it could not be found out."""
    return Finding(check, State.WARNING, f"could not be checked: {found.why}", found.hint)
