"""The option `-o`: the file for the result, which must be writable before there is a result to lose."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..errors import UsageError

__all__ = ["refusal", "result_file"]


def refusal(path: Path) -> str | None:
    """Return why the result cannot be written to the file, or None. It is put in place whole, by its directory."""
    if path.is_dir():
        return f"the result cannot be written to {path}, which is a directory"
    if not path.parent.is_dir():
        return f"the result cannot be written to {path}: there is no directory {path.parent}"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return f"the result cannot be written to {path}: the directory {path.parent} is not writable"
    return None


def _checked(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    told = refusal(Path(value)) if value else None
    if told is not None:
        raise UsageError(told, hint="nothing was started; name another file with -o")
    return value


result_file = click.option(
    "-o",
    "stdout_file",
    metavar="FILE",
    callback=_checked,
    help="Write the result JSON here instead of standard output.",
)
"""The option, as a decorator of commands."""
