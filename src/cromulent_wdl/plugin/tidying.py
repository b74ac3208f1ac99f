"""What runs have left on a disk that nobody needs: their directories, what was downloaded for them, copies of inputs.

The call cache needs more than its entries: the directory of the call that made a result, and what links among its
outputs lead to. An entry is used when it is made and whenever it is a hit, which its time stamp tells. What entries
need that were used since the time that is asked for stays, whichever run it is in; the others go with what they need.
Who wants to use what is being removed is told apart by the same time stamps: see `_withdraw`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..model.tidied import Tidied
from ..storage.downloaded import PARTS
from ..storage.layout import HEAD_LOCK
from .cache_entry import CACHE, Entry

__all__ = ["Disk", "tidy"]

_SHARD = 2
"""Letters of a directory that parts a store by the beginnings of names."""


@dataclass(frozen=True)
class Disk:
    """What there is to look at."""

    runs: tuple[Path, ...]
    """Directories of runs that are over and old enough."""
    cache: Path
    """Of the call cache."""
    stores: tuple[Path, ...] = ()
    """Directories with things that were fetched for runs, each used when its time stamp says so."""


@dataclass(frozen=True)
class _Use:
    """An entry of the call cache, and when it was used last."""

    file: Path
    at: float
    entry: Entry


def tidy(disk: Disk, since: float, *, larger_than: int = 0, remove: bool = False) -> Tidied:
    """Look for, or remove, the runs and what was not used since then; runs that are not larger stay whole."""
    runs = {os.path.realpath(run): run for run in disk.runs}
    uses = list(_uses(disk.cache))
    sizes = {real: _size(real) for real in runs}
    going = {real for real, size in sizes.items() if size > larger_than or not larger_than}
    stale = [use for use in uses if use.at < since and _goes_with(use, going)]
    needed = _needed(use for use in uses if use not in stale)
    wanted = [use for use in stale if remove and not _withdraw(use, since)]
    needed |= _needed(wanted)
    freed_of: dict[str, int] = {}
    in_part: list[str] = []
    for real in sorted(going):
        with _alone(real) as alone:
            if alone:
                freed, whole = _clear(real, needed, remove)
                if freed or whole:
                    freed_of[runs[real].name] = freed
                if not whole:
                    in_part.append(runs[real].name)
    inputs = [size for store in disk.stores for size in _tidy_store(store, since, needed, remove)]
    return Tidied(freed_of, tuple(in_part), len(inputs), sum(inputs), len(stale) - len(wanted))


def _uses(cache: Path) -> Iterator[_Use]:
    for file in (cache / CACHE).glob("*/*/*.json"):
        try:
            yield _Use(file, file.stat().st_mtime, msgspec.json.decode(file.read_bytes(), type=Entry))
        except (OSError, msgspec.DecodeError):
            continue  # gone, or nothing that anybody can use


def _goes_with(use: _Use, going: set[str]) -> bool:
    """Whether what an entry needs goes, or has gone already."""
    directory = os.path.realpath(use.entry.directory)
    return any(directory.startswith(f"{run}/") for run in going) or not os.path.isdir(directory)


def _needed(uses: Iterable[_Use]) -> set[str]:
    """Return real paths of all that entries need."""
    needed: set[str] = set()
    for use in uses:
        needed.add(os.path.realpath(use.entry.directory))
        for path in use.entry.files:
            needed.add(os.path.realpath(path))
            for place, folders, names in os.walk(path):
                links = [os.path.join(place, name) for name in (*folders, *names)]
                needed |= {os.path.realpath(link) for link in links if os.path.islink(link)}
    return needed


def _withdraw(use: _Use, since: float) -> bool:
    """Remove an entry, unless it was used meanwhile.

    Who uses one sets its time stamp, under its name: before it is set aside, which is seen here, or in vain.
    """
    aside = use.file.with_name(f".{uuid.uuid4().hex}")
    try:
        os.rename(use.file, aside)
    except FileNotFoundError:
        return True
    if aside.stat().st_mtime >= since:
        os.rename(aside, use.file)
        return False
    aside.unlink()
    return True


@contextmanager
def _alone(run: str) -> Iterator[bool]:
    """Whether no head leads the run, and see to it that none begins."""
    try:
        file = os.open(os.path.join(run, HEAD_LOCK), os.O_RDWR)
    except FileNotFoundError:
        yield True
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(file)


def _clear(run: str, needed: set[str], remove: bool) -> tuple[int, bool]:
    """Remove what is not needed of a run; return how much that is, and whether it is all."""
    inside = {path for path in needed if path.startswith(f"{run}/")}
    if not inside:
        freed = _size(run)
        if remove:
            shutil.rmtree(run, ignore_errors=True)
        return freed, True
    kept = {path for path in inside if not inside & set(_parents(path, run))}
    above = {parent for path in kept for parent in _parents(path, run)}
    return sum(_clear_beside(place, kept | above, remove) for place in above), False


def _parents(path: str, run: str) -> Iterator[str]:
    """Yield the directories that a path is in, up to a run's."""
    while path != run:
        path = os.path.dirname(path)
        yield path


def _clear_beside(place: str, kept: set[str], remove: bool) -> int:
    """Remove the directories beside what is kept; texts of the run and of its calls stay with it."""
    freed = 0
    for entry in list(os.scandir(place)):
        if entry.is_dir(follow_symlinks=False) and entry.path not in kept:
            freed += _size(entry.path)
            if remove:
                shutil.rmtree(entry.path, ignore_errors=True)
    return freed


def _tidy_store(store: Path, since: float, needed: set[str], remove: bool) -> Iterator[int]:
    """Remove what was not used since, or look for it; yield the bytes of each thing."""
    for place in _things(os.path.realpath(store)):
        if any(path == place or path.startswith(f"{place}/") for path in needed) or not _is_stale(place, since):
            continue
        size = _size(place)
        if not remove or _set_aside(place, store, since):
            yield size
    if remove:
        for part in list((store / PARTS).glob("*")):  # of heads that died
            if _is_stale(str(part), since):
                shutil.rmtree(part, ignore_errors=True)


def _things(store: str) -> Iterator[str]:
    """Yield what has a name of its own in a store: `DIGEST`, or `ab/DIGEST`."""
    with suppress(FileNotFoundError):
        for entry in list(os.scandir(store)):
            if len(entry.name) == _SHARD and entry.is_dir():
                yield from (each.path for each in list(os.scandir(entry.path)) if not each.name.startswith("."))
            elif not entry.name.startswith("."):
                yield entry.path


def _is_stale(place: str, since: float) -> bool:
    try:
        return os.stat(place).st_mtime < since
    except FileNotFoundError:
        return False


def _set_aside(place: str, store: Path, since: float) -> bool:
    """Remove something from a store, unless it was used meanwhile; as with entries."""
    aside = store / PARTS / uuid.uuid4().hex
    aside.parent.mkdir(exist_ok=True)
    try:
        os.rename(place, aside)
    except FileNotFoundError:
        return False
    if not _is_stale(str(aside), since):
        os.rename(aside, place)
        return False
    shutil.rmtree(aside, ignore_errors=True)
    return True


def _size(place: str) -> int:
    """Return the bytes of a file, or of the files in a tree; links count for themselves."""
    total = 0
    for directory, _, names in os.walk(place):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(directory, name)).st_size
    return total if os.path.isdir(place) else os.lstat(place).st_size
