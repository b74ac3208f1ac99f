"""Where a head keeps what it has downloaded, for all runs of its deployment, and what the names there tell.

::

    inputs/DIGEST/NAME       a file or directory that was uploaded by its content, which has this digest
    inputs/STATE/NAME        one from elsewhere; STATE stands for its address and what its server called its state
    inputs/once-…/NAME       one whose server gives its states no names; it is another each time
    inputs/.parts/…          what is on its way
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

__all__ = [
    "PARTS",
    "content_by_name",
    "downloads_directory",
    "is_there",
    "nameless",
    "parts_directory",
    "settle",
    "state_name",
]

PARTS = ".parts"
_STATE_BYTES = 16
_NAMES = re.compile(r"[0-9a-f]{64}|[0-9a-f]{32}")
"""Of contents, as `digests.py` has them, and of states."""


def downloads_directory(mount: str | os.PathLike[str]) -> Path:
    """Return the directory of all of it."""
    return Path(mount, "inputs")


def parts_directory(root: Path) -> Path:
    """Return a new place for something that is on its way; it is not made."""
    return root / PARTS / uuid.uuid4().hex


def nameless() -> str:
    """Return a name that says nothing."""
    return f"once-{uuid.uuid4().hex}"


def state_name(states: Iterable[str]) -> str:
    """Return the name for something whose parts are in these states."""
    digest = blake2b(digest_size=_STATE_BYTES)
    for each in states:
        digest.update(each.encode(errors="surrogateescape") + b"\n")
    return digest.hexdigest()


def content_by_name(path: str, root: Path) -> str | None:
    """Return what stands for the content of something that was downloaded, without reading it; None for all else.

    For what was uploaded it is the digest that reading it would give. Another state has another name, so what changes
    under its address is something else.
    """
    place = Path(os.path.realpath(path))
    if place.parent.parent != Path(os.path.realpath(root)) or not _NAMES.fullmatch(place.parent.name):
        return None
    return place.parent.name


def is_there(target: Path) -> bool:
    """Whether something is there to be used; if so, note that it is used now, by the time stamp of its directory."""
    with suppress(OSError):
        os.utime(target.parent)
    return target.exists()


def settle(part: Path, target: Path) -> None:
    """Give what is whole its name; where another head was quicker, its copy is as good."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.rename(part, target)
    except OSError:
        if not target.exists():
            raise
