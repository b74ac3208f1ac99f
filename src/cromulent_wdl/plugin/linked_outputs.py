"""Outputs that are links to a task's inputs: `ln -s ~{bam} sample.bam`, and then `sample.bam`.

miniwdl lets an output lead out of the working directory only where it is named by an input's own path. Where inputs
are links themselves, one that was linked to, moved or copied as a link is the input's file under another name.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from ..storage.shared import within

__all__ = ["linked_input"]


def linked_input(path: str, work: str, inputs: Collection[str]) -> str | None:
    """Return the output's path where it leads out of the working directory to an input, or into one; None elsewhere.

    A directory's path ends with a slash, and so do those of input directories; an output of the other kind than what
    it leads to is none. `path` is relative to the working directory.
    """
    output = os.path.join(work, path)
    if not inputs or not (os.path.isdir(output) if path.endswith("/") else os.path.isfile(output)):
        return None
    real = os.path.realpath(output)
    if within(real, os.path.realpath(work)):
        return None
    for given in inputs:
        whole = os.path.realpath(given)
        if real == whole or (given.endswith("/") and within(real, whole)):
            return output
    return None
