"""What may have been meant by a file that is not there, or an argument that is no input."""

from __future__ import annotations

import difflib
import os
import re

from ..errors import SourceError

__all__ = ["absent", "given_so", "looked_for", "meant", "within"]


def absent(source: str) -> SourceError:
    """Return the error that a source is not there, with what may have been meant."""
    if re.match(r"(?!https?:)\w+://", source):
        return SourceError(
            f"a WDL document is read from a file or an http(s):// address, and not from {source}",
            hint=f"copy it here first: aws s3 cp {source} ." if source.startswith("s3:") else "copy it here first",
        )
    return SourceError(f"there is no file {source}", hint=meant(source, (".wdl", ".zip")))


def meant(path: str, suffixes: tuple[str, ...]) -> str | None:
    """Return a hint for a file that is not there: one of a similar name beside it, or where it is looked for."""
    folder, name = os.path.split(path)
    try:
        there = [each for each in os.listdir(folder or ".") if each.endswith(suffixes)]
    except OSError:
        return f"there is no directory {folder}"
    if near := difflib.get_close_matches(name, there, n=1):
        return f"did you mean {os.path.join(folder, near[0])}?"
    return looked_for(path)


def looked_for(path: str) -> str | None:
    """Return where a path is looked for that does not say so itself."""
    return None if os.path.isabs(path) else f"it is looked for in {os.getcwd()}"


def within(directory: str) -> str:
    """Return a hint for a directory that should have been a source."""
    documents = sorted(os.path.join(directory, each) for each in os.listdir(directory) if each.endswith(".wdl"))
    return f"name a .wdl file in it: {', '.join(documents[:3])}" if documents else "no .wdl file is in it"


def given_so(argument: str) -> str:
    """Return how what stands without `=` among the inputs may have been meant."""
    if argument.endswith((".json", ".yaml", ".yml")):
        return f"inputs in a file: -i {argument}"
    return f"{argument}=VALUE gives it a value; -i FILE reads a file of inputs"
