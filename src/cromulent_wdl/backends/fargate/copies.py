"""Copies of inputs from elsewhere, on the shared file system: each content once.

A copy is `COPIES/ab/<digest>/<name>`, beside the runs, under the name that it was first known by. What is not
everybody's to read, and everything where nothing beside the runs is seen by tasks and safe from others, is in the run's
own directory, and private. A copy comes into being by one rename, so what has a digest for its name is whole; of two
that are made at once the first stays.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from ...clock import SYSTEM, Clock
from ...errors import FileUnstable
from ...storage.digests import Digests
from ...storage.layout import COPIES
from ...storage.shared import SharedFiles
from ...units import format_bytes
from .errand import Asked
from .window import Window

__all__ = ["Asked", "Copies"]

_BLOCK = 1 << 20
_ATTEMPTS = 3
_DAY = 86_400.0
_HOST = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())


class Copies:
    """Copies inputs for all tasks of this process."""

    def __init__(self, shared: SharedFiles, window: Window, digests: Digests, clock: Clock = SYSTEM) -> None:
        self._shared = shared
        self._window = window
        self._digests = digests
        self._clock = clock
        self._lock = threading.Lock()
        self._copying: dict[str, threading.Lock] = {}
        self._stores: dict[tuple[Path, bool], Path] = {}

    def copy(self, path: str, run: Path, asked: Asked) -> str:
        """Return the real path of a copy of the file or directory, made now or before.

        Raises OSError, FileUnstable, and InterruptedError when told to stop.
        """
        private = not _is_everybodys(path)
        store = self._stores.get((run, private)) or self._store(run, private)
        for _ in range(_ATTEMPTS):
            digest, kind = self._digest(path, asked)
            home = store / digest[:2] / f"{digest}{kind}"
            with self._copying_of(str(home)):
                with suppress(OSError):  # it may not be there; whoever tidies sees that it is used
                    os.utime(home)
                found = _copy_in(home)
                if found is None and self._make(path, home, digest, private, asked):
                    found = _copy_in(home)
            if found is not None:
                return found
        raise FileUnstable(f"{path} kept changing while it was copied")

    def _digest(self, path: str, asked: Asked) -> tuple[str, str]:
        """Return the content's digest, and what parts copies that differ otherwise."""
        if os.path.isdir(path):
            return self._digests.of_directory(path, asked.stopping), "-directory"
        executable = os.stat(path).st_mode & stat.S_IXUSR
        return self._digests.of_file(path, asked.stopping), "-executable" if executable else ""

    def _store(self, run: Path, private: bool) -> Path:
        """Return where copies go, made where it is missing."""
        store, beside = run / COPIES, run.parent
        inside = None if private else self._shared.inside(os.path.realpath(beside))
        if inside is not None and self._window.shows(inside) and self._window.readable(beside.stat()):
            store = beside / COPIES if _is_ours(beside / COPIES, run) else store
        if store == run / COPIES:
            _directories(run, store, 0o700)
        self._stores[run, private] = store
        return store

    def _copying_of(self, home: str) -> threading.Lock:
        with self._lock:
            return self._copying.setdefault(home, threading.Lock())

    def _make(self, path: str, home: Path, digest: str, private: bool, asked: Asked) -> bool:
        """Make the copy, and return False if the original changed meanwhile."""
        asked.telling(f"copying {path} ({format_bytes(_size(path))}) onto the shared file system")
        _directories(home.parents[1], home.parent, 0o700 if private else 0o755)
        _sweep(home.parent, self._clock.now())
        draft = Path(tempfile.mkdtemp(prefix=f".{_HOST}.{os.getpid()}.", dir=home.parent))
        try:
            copied = draft / os.path.basename(path)
            if os.path.isdir(path):
                _copy_tree(path, str(copied), frozenset(), asked.stopping)
                same = self._digests.of_directory(path, asked.stopping) == digest
            else:
                same = _copy_file(path, str(copied), asked.stopping) == digest
            if not same:
                return False
            _open_up(draft, private)
            with suppress(FileExistsError, NotADirectoryError):  # another process was quicker
                _rename(draft, home)
            return True
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _sweep(directory: Path, now: float) -> None:
    """Remove what killed processes left half copied: those of this host, and what nobody has written to for a day."""
    for draft in directory.glob(".*.*.*"):
        _, host, process, _ = (*draft.name.split("."), "", "", "")[:4]
        written = max((each.lstat().st_mtime for each in (draft, *draft.rglob("*")) if each.exists()), default=now)
        if (host == _HOST and process.isdecimal() and not _is_alive(int(process))) or written < now - _DAY:
            shutil.rmtree(draft, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def _copy_file(path: str, copy: str, stopping: Callable[[], bool]) -> str:
    """Copy a file and return the digest of what was copied."""
    hasher = blake2b(digest_size=32)
    with open(path, "rb", buffering=0) as source, open(copy, "xb", buffering=0) as target:
        while block := source.read(_BLOCK):
            hasher.update(block)
            rest = memoryview(block)
            while rest:
                rest = rest[target.write(rest) :]
            if stopping():
                raise InterruptedError(errno.EINTR, "stopped while copying", path)
        os.fsync(target.fileno())
        os.chmod(copy, stat.S_IMODE(os.fstat(source.fileno()).st_mode) | 0o400)
    return hasher.hexdigest()


def _copy_tree(path: str, copy: str, above: frozenset[str], stopping: Callable[[], bool]) -> None:
    """Copy a directory with what its links lead to; a link that leads nowhere, or upwards, stays a link."""
    os.mkdir(copy)
    here = above | {os.path.realpath(path)}
    with os.scandir(path) as entries:
        for entry in entries:
            target = os.path.join(copy, entry.name)
            real = os.path.realpath(entry.path)
            if entry.is_symlink() and (real in here or not os.path.exists(real)):
                os.symlink(os.readlink(entry.path), target)
            elif entry.is_dir():
                _copy_tree(entry.path, target, here, stopping)
            elif entry.is_file():
                _copy_file(entry.path, target, stopping)


def _size(path: str) -> int:
    """Return the bytes of a file, or of all files in a directory."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    found = (os.path.join(parent, name) for parent, _, names in os.walk(path) for name in names)
    return sum(os.path.getsize(each) for each in found if os.path.exists(each))


def _copy_in(home: Path) -> str | None:
    """Return the real path of the copy in a digest's directory, under the name of the first that was copied."""
    try:
        return os.path.realpath(home / os.listdir(home)[0])
    except FileNotFoundError:
        return None


def _is_everybodys(path: str) -> bool:
    """Whether everybody may read the file, or all in the directory."""
    if not os.path.isdir(path):
        return bool(os.stat(path).st_mode & stat.S_IROTH)
    found = (os.path.join(parent, name) for parent, _, files in os.walk(path) for name in (".", *files))
    return all(os.stat(each).st_mode & stat.S_IROTH for each in found if os.path.exists(each))


def _is_ours(store: Path, run: Path) -> bool:
    """Whether the directory, which is made where it is missing, belongs to whom the run belongs and to no others."""
    owner = run.stat().st_uid
    try:
        _directories(run.parent, store, 0o755)
        found = [store, *list(store.parents)[: COPIES.count("/")]]
        states = [each.lstat() for each in found]
    except OSError:
        return False
    return all(stat.S_ISDIR(each.st_mode) and each.st_uid == owner and not each.st_mode & 0o022 for each in states)


def _directories(above: Path, path: Path, mode: int) -> None:
    """Make the directory and those between it and the one above, which is there; the mode is for the new ones."""
    for part in (*reversed([each for each in path.parents if each.is_relative_to(above)][:-1]), path):
        with suppress(FileExistsError):
            part.mkdir()
            part.chmod(mode)  # whatever the umask


def _open_up(draft: Path, private: bool) -> None:
    """Let tasks read the copy, whose directory was made for nobody else, and nobody write to it."""
    for parent, _, files in os.walk(draft):
        os.chmod(parent, 0o700 if private else 0o755)
        for name in files:
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                mode = stat.S_IMODE(os.stat(path).st_mode) & 0o111
                os.chmod(path, (0o400 if private else 0o444) | (mode & (0o100 if private else 0o111)))


def _rename(draft: Path, home: Path) -> None:
    """Put the draft in its place; FileExistsError if something is there."""
    try:
        os.rename(draft, home)
    except OSError as error:
        if not home.is_dir():
            raise
        raise FileExistsError from error
