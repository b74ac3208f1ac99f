"""What a file or a directory contains, as a digest that is remembered for as long as nothing touches the file.

The digest is BLAKE2b of 32 bytes. It needs no processor extension and no OpenSSL: any 64-bit processor reads
about 1 GB/s through it, where SHA-256 gives from 0.4 to 1.7 GB/s. Hashing releases the GIL, so threads hash
side by side; threads that want the same file share one reading of it.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from ..clock import SYSTEM, Clock
from ..errors import FileUnstable
from ..model.file_state import FileState
from .digest_memory import DigestMemory

__all__ = ["Digests", "Held", "fingerprint"]

_BLOCK = 1 << 20
_ATTEMPTS = 3
_RACY_SECONDS = 2.0
"""The coarsest time stamp of a file system in use (FAT). A file touched within this time before it was read
may change again without a new time stamp, so what was read is not remembered (as in git's index)."""


Stopping = Callable[[], bool]


class Digests:
    """Content digests, for any number of threads."""

    def __init__(
        self,
        memory: DigestMemory | None = None,
        clock: Clock = SYSTEM,
        stopping: Stopping = lambda: False,
        named: Callable[[str], str | None] = lambda path: None,
    ) -> None:
        self._memory = memory
        self._named = named
        """Returns what stands for the content of a path that need not be read, or None."""
        self._clock = clock
        self._stopping = stopping
        """Asked now and then while a large file is read; the reading ends with InterruptedError once it is true.

        Who asks for a digest may bring a question of his own."""
        self._lock = threading.Lock()
        self._known: dict[FileState, str] = {}
        self._underway: dict[FileState, Future[str]] = {}

    def of_file(self, path: str, stopping: Stopping | None = None) -> str:
        """Return the digest of a regular file's content, following symbolic links.

        Raises OSError, and FileUnstable for a file that is being written to.
        """
        return self._named(path) or self.file(path, stopping)[0]

    def file(self, path: str, stopping: Stopping | None = None) -> tuple[str, FileState]:
        """Return a file's digest, and the state in which it had that content."""
        for _ in range(_ATTEMPTS):
            state = _state(os.stat(path), path)
            digest = self._recall(state) or self._read_once(path, state, stopping or self._stopping)
            if digest is not None:
                return digest, state
        raise FileUnstable(f"{path} kept changing while it was read")

    def of_directory(self, path: str, stopping: Stopping | None = None) -> str:
        """Return the digest of a tree: the names in it, their kinds, link targets and contents; modes are left out.

        A link that leads to a file or a directory counts with what it leads to as well. Raises OSError, and
        FileUnstable for a tree that is being written to.
        """
        return self._named(path) or self.directory(path, stopping)[0]

    def directory(self, path: str, stopping: Stopping | None = None) -> tuple[str, list[Held]]:
        """Return a tree's digest, and what is in it besides links."""
        for _ in range(_ATTEMPTS):
            before = fingerprint(path)
            hasher, held = blake2b(digest_size=32), []
            for found in _walk(path):
                detail = found.target
                if found.kind == b"file":
                    digest, state = self.file(found.path, stopping)
                    detail = digest.encode()
                    held.append(Held(os.fsdecode(found.name), state))
                elif found.kind == b"directory":
                    held.append(Held(os.fsdecode(found.name), None))
                hasher.update(b"\0".join((found.kind, found.name, detail, b"")))
            if fingerprint(path) == before:
                return hasher.hexdigest(), held
        raise FileUnstable(f"{path} kept changing while it was read")

    def close(self) -> None:
        """Close the memory."""
        if self._memory is not None:
            self._memory.close()

    def _recall(self, state: FileState) -> str | None:
        digest = self._known.get(state)
        if digest is None and self._memory is not None and (digest := self._memory.recall(state)):
            self._known[state] = digest
        return digest

    def _remember(self, state: FileState, digest: str, read_at: float) -> None:
        if max(state.mtime_ns, state.ctime_ns) / 1e9 > read_at - _RACY_SECONDS:
            return
        self._known[state] = digest
        if self._memory is not None:
            self._memory.remember(state, digest)

    def _read_once(self, path: str, state: FileState, stopping: Stopping) -> str | None:
        """Read the file, or wait for another thread that is reading it; None if it changed meanwhile."""
        with self._lock:
            if read_meanwhile := self._known.get(state):
                return read_meanwhile  # by one who was done before we got here
            future = self._underway.get(state)
            if theirs := future is not None:
                reading = future
            else:
                reading = self._underway[state] = Future()
        if theirs:
            try:
                return reading.result()
            except CancelledError:
                return None
        try:
            read_at = self._clock.now()
            digest = self._read(path, state, stopping)
            if digest is not None:
                self._remember(state, digest, read_at)
                reading.set_result(digest)
            return digest
        finally:
            with self._lock:
                del self._underway[state]
            reading.cancel()  # without effect on a reading that has its result

    def _read(self, path: str, state: FileState, stopping: Stopping) -> str | None:
        """Read the file; None if it changes meanwhile."""
        hasher = blake2b(digest_size=32)
        with open(path, "rb", buffering=0) as file:
            if _state(os.fstat(file.fileno()), path) != state:
                return None
            if state.size < _BLOCK:
                hasher.update(file.read())
            else:
                block = memoryview(bytearray(_BLOCK))
                while count := file.readinto(block):
                    hasher.update(block[:count])
                    if stopping():
                        raise InterruptedError(errno.EINTR, "stopped while reading", path)
            if _state(os.fstat(file.fileno()), path) != state:
                return None
        return hasher.hexdigest()


def fingerprint(path: str) -> str:
    """Return what changes when a file or a tree is written to, replaced or removed in part; contents are not read.

    Of a file: size, modification time and inode. Of a tree: a digest over those of everything in it. Raises
    OSError when it is not there.
    """
    status = os.stat(path)
    if not stat.S_ISDIR(status.st_mode):
        return _stamp(status)
    hasher = blake2b(digest_size=16)
    for found in _walk(path):
        detail = _stamp(found.status).encode() if found.kind == b"file" else found.target
        hasher.update(b"\0".join((found.kind, found.name, detail, b"")))
    return hasher.hexdigest()


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def _state(status: os.stat_result, path: str) -> FileState:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", path)
    return FileState.of(status)


class Held(NamedTuple):
    """A file or directory in a tree."""

    name: str
    """Relative to the tree."""
    state: FileState | None
    """Of a file."""


class _Found(NamedTuple):
    """One thing in a tree."""

    kind: bytes
    """`file`, `directory`, `link` or `other`."""
    name: bytes
    """Relative to the tree."""
    path: str
    status: os.stat_result
    target: bytes = b""
    """Of a link."""


def _walk(root: str) -> Iterator[_Found]:
    """Yield everything in a tree, sorted by name, a link before what it leads to, unless that is above it."""
    real = Path(os.path.realpath(root))
    above = [os.stat(directory) for directory in (real, *real.parents)]
    return _walk_directory(root, b"", frozenset((status.st_dev, status.st_ino) for status in above))


def _walk_directory(directory: str, prefix: bytes, above: frozenset[tuple[int, int]]) -> Iterator[_Found]:
    with os.scandir(directory) as entries:
        listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in listed:
        name = prefix + os.fsencode(entry.name)
        if entry.is_symlink():
            target = os.fsencode(os.readlink(entry.path))
            yield _Found(b"link", name, entry.path, entry.stat(follow_symlinks=False), target)
            if not os.path.exists(entry.path):
                continue
        status = os.stat(entry.path)
        place = (status.st_dev, status.st_ino)
        if stat.S_ISREG(status.st_mode):
            yield _Found(b"file", name, entry.path, status)
        elif not stat.S_ISDIR(status.st_mode):
            yield _Found(b"other", name, entry.path, status)
        elif place not in above:  # a link that leads upwards ends here
            yield _Found(b"directory", name, entry.path, status)
            yield from _walk_directory(entry.path, name + b"/", above | {place})
