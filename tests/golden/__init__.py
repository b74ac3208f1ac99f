"""Texts that users see, kept as they should be, and compared with what is really said.

`GOLDEN=write` in the environment writes them anew; look at the difference before it is committed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["check"]

_PLACE = Path(__file__).parent

# What differs from run to run, and what stands for it.
_VARYING = (
    (re.compile(r"\b20\d{6}_\d{6}_"), "20261122_190411_"),
    (re.compile(r"\b\d+:\d\d(:\d\d)?\b"), "0:07"),
    (re.compile(r"subnet-[0-9a-f]+"), "subnet-0a1b2c3d"),
    (re.compile(r"fs-[0-9a-f]{8,}"), "fs-0a1b2c3d"),
    (re.compile(r"fsap-[0-9a-f]{8,}"), "fsap-0a1b2c3d"),
    (re.compile(r"eni-[0-9a-f]+"), "eni-0a1b2c3d"),
    (re.compile(r"sha256:[0-9a-f]{12,}"), "sha256:0a1b2c3d"),
    (re.compile(r"\b\d{12}\b"), "123456789012"),
    (re.compile(r"memory in use at its\s+peak [\d.]+ [KMG]B"), "memory in use at its peak 40 MB"),
    (re.compile(r"process \d+ on \S+,"), "process 4711 on lab,"),
)


def check(name: str, text: str, *places: Path) -> None:
    """Compare a text with the golden one of that name; a path below one of the places stands there as `/lab`."""
    for place in sorted(map(str, places), key=len, reverse=True):
        text = text.replace(place, "/lab")
    for pattern, stand_in in _VARYING:
        text = pattern.sub(stand_in, text)
    golden = _PLACE / name
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    # Word by word: a number that is a digit longer may move the end of a line.
    assert text.split() == golden.read_text(encoding="utf-8").split()
