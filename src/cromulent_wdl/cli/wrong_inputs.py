"""Says what is wrong with inputs that cannot be read, or that no task could be given."""

from __future__ import annotations

import os
from typing import Any

from ..errors import InputsError
from .guesses import looked_for
from .options import RunOptions

__all__ = ["NOT_OF_JSON", "no_such_input", "refuse_unholdable", "unreadable"]

# What miniwdl raises for that which YAML has and JSON has not; it looks for neither.
NOT_OF_JSON = (AttributeError, TypeError, AssertionError)


def unreadable(options: RunOptions, error: Exception) -> InputsError:
    """Say in one sentence why the inputs cannot be read, and where in them it is."""
    given = options.input_file or ""
    is_file = given and not given.lstrip().startswith("{")
    what = "the inputs cannot be read" + (f" from {given}" if is_file else "")
    if isinstance(error, UnicodeDecodeError):
        return InputsError(f"{what}: it is not text in UTF-8")
    if isinstance(error, NOT_OF_JSON):
        reason = "it has a name or a value that JSON does not have, such as a number for a name, or a date"
        return InputsError(f"{what}: {reason}", hint="put it in quotes")
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if problem is None or mark is None:
        return InputsError(f"{what}: {error}")
    return InputsError(f"{what}: {problem} (line {mark.line + 1}, column {mark.column + 1})")


def no_such_input(kind: str, path: str) -> InputsError:
    """Say why a path is not the input file, or directory, that it should be."""
    if not path:
        return InputsError(f"an input {kind} has no name", hint="leave an optional input out, or give --none NAME")
    other = "directory" if kind == "file" else "file"
    if os.path.exists(path):
        return InputsError(f"an input should be a {kind}, and {path} is a {other}")
    return InputsError(f"there is no input {kind} {path}", hint=looked_for(path))


def refuse_unholdable(inputs: dict[str, Any]) -> None:
    """Refuse text with a character that no file, name or command line holds. Raises InputsError."""
    for name, value in inputs.items():
        if character := _unholdable(value):
            raise InputsError(f"input '{name}' has the character {character}, which no command can be given")


def _unholdable(value: Any) -> str | None:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return next(filter(None, map(_unholdable, value)), None)
    if isinstance(value, str):
        return next((f"U+{ord(each):04X}" for each in value if each == "\0" or _is_lone_surrogate(each)), None)
    return None


def _is_lone_surrogate(character: str) -> bool:
    """Whether it stands for nothing: not even, as in Python's file names, for a byte that is no UTF-8."""
    return "\ud800" <= character <= "\udfff" and not "\udc80" <= character <= "\udcff"
