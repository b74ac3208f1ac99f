"""A head: the process in which workflows run, as the rest of this machine knows it.

Opening a head makes its entry, a directory named by its id: `lease` (see `leases.py`), `info.json`, and
`engines`, the container engines that hold containers of it. Whatever the head starts carries its id: processes
in their environment (`strays.py`), containers as a label. The entry's lock tells whether the head lives; when it
does not, `aftermath.py` cleans up by the id: at once, in the guardian process, or else when the next run begins.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path

import msgspec

from ..clock import SYSTEM, Clock
from .leases import LEASE, Holding, Machine, write_holding

__all__ = ["ENGINES", "INFO", "MARK", "Head", "HeadInfo", "scratch_prefix"]

INFO = "info.json"
ENGINES = "engines"
MARK = "CROMULENT_HEAD"
"""The environment variable that holds the head's id in all that the head starts."""

_GUARDIANS = 3
"""How many guardians are started for one head, if they keep dying."""
_GUARDIAN_EXIT = 5.0
"""Seconds. No setting: it has nothing to do then, and is killed where it does not end."""
_FAREWELL = b"."


class HeadInfo(msgspec.Struct, frozen=True):
    """What a head's entry says of it, for people."""

    run_id: str
    directory: str
    pid: int
    started: float
    temporary: str
    """Where its directories for temporary files are; see `scratch_prefix`."""

    def write(self, entry: Path) -> None:
        """Put this into the entry, whole or not at all."""
        new = entry / f"{INFO}.new"
        new.write_text(json.dumps(msgspec.structs.asdict(self)))
        new.replace(entry / INFO)

    @classmethod
    def read(cls, entry: Path) -> HeadInfo:
        """Return what the entry says; an entry that says nothing readable has an empty run id."""
        try:
            record = json.loads((entry / INFO).read_bytes())
            return cls(
                str(record["run_id"]),
                str(record["directory"]),
                int(record["pid"]),
                float(record["started"]),
                str(record["temporary"]),
            )
        except (OSError, ValueError, LookupError, TypeError):
            return cls("", "", 0, 0.0, "")


def scratch_prefix(head: str) -> str:
    """Return how the names of the head's directories in the machine's temporary directory begin."""
    return f"cromulent-{head}-"


class Head:
    """This process as a head. Make one by `open`; a forked child has none of it."""

    def __init__(self, machine: Machine, identity: str, entry: Path, lease: int) -> None:
        self.id = identity
        self.machine = machine
        self.entry = entry
        self.lease = lease
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._engines: set[tuple[str, str]] = set()
        self._guardian: subprocess.Popen[bytes] | None = None
        self._pipe: int | None = None
        self._starts = 0
        self._expects_strays = False
        self._closed = False
        _open_heads.add(self)
        atexit.register(self.close)

    @classmethod
    def open(cls, run_id: str, directory: Path, clock: Clock = SYSTEM) -> Head:
        """Make this process a head; the run names it in front of people."""
        machine = Machine(clock)
        identity = secrets.token_hex(8)
        # Others take an entry without a lock for dead, so it gets its name only when it is locked.
        nascent = machine.directory / f".{identity}"
        nascent.mkdir(mode=0o700)
        lease = os.open(nascent / LEASE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lease, fcntl.LOCK_EX)
        write_holding(lease, Holding())
        entry = machine.directory / identity
        head = cls(machine, identity, entry, lease)
        HeadInfo(run_id, str(directory), os.getpid(), clock.now(), tempfile.gettempdir()).write(nascent)
        nascent.rename(entry)
        return head

    def lead(self, run_id: str, directory: Path, clock: Clock = SYSTEM) -> None:
        """Have the entry name another run from now on."""
        HeadInfo(run_id, str(directory), os.getpid(), clock.now(), tempfile.gettempdir()).write(self.entry)

    def guard(self) -> None:
        """See that a guardian lives; call it before starting anything that could outlive this process."""
        with self._lock:
            if not self._closed and (self._guardian is None or self._guardian.poll() is not None):
                self._start_guardian()

    def uses_engine(self, kind: str, address: str) -> None:
        """Remember an engine (`docker` or `podman`) on which containers with this head's label may be."""
        with self._lock:
            if (kind, address) in self._engines:
                return
            self._engines.add((kind, address))
            with (self.entry / ENGINES).open("a") as engines:
                engines.write(json.dumps([kind, address]) + "\n")

    def expect_strays(self) -> None:
        """Have `close` look for processes that carry the mark: something ran that could have left some."""
        self._expects_strays = True

    def close(self) -> None:
        """End what is left of this head's processes and forget the head. Only the first call counts."""
        with self._lock:
            if self._closed or os.getpid() != self._pid:
                return
            self._closed = True
        _open_heads.discard(self)
        atexit.unregister(self.close)
        if self._expects_strays:
            from .carriers import carriers

            if carriers(self.id):
                from .strays import end_strays

                end_strays(self.id)
        shutil.rmtree(self.entry, ignore_errors=True)
        self._dismiss_guardian()
        self._close_descriptors()
        self.machine.close()

    def forget(self) -> None:
        """Have nothing more to do with the head, in a process that was forked from it."""
        self._closed = True
        self._close_descriptors()

    def _close_descriptors(self) -> None:
        os.close(self.lease)
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def _start_guardian(self) -> None:
        if self._starts == _GUARDIANS or not sys.executable:
            return  # it cannot live here; then it is the next run that cleans up
        self._starts += 1
        if self._pipe is not None:
            os.close(self._pipe)
        read_end, self._pipe = os.pipe()
        arguments = ["-S", "-m", "cromulent_wdl.backends.guardian", str(read_end), str(self.entry)]
        try:
            self._guardian = subprocess.Popen(
                [sys.executable, *arguments],
                env=_guardian_environment(),
                cwd=self.entry,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(read_end, self.lease),
                start_new_session=True,
            )
        finally:
            os.close(read_end)

    def _dismiss_guardian(self) -> None:
        if self._guardian is None or self._pipe is None:
            return
        try:
            os.write(self._pipe, _FAREWELL)
        except BrokenPipeError:
            pass  # it died before us
        try:
            self._guardian.wait(_GUARDIAN_EXIT)
        except subprocess.TimeoutExpired:
            self._guardian.kill()
            self._guardian.wait()


def _guardian_environment() -> dict[str, str]:
    """Return our environment, without the mark of a head of which this process is itself a task.

    The guardian goes without `site`, which saves time and memory; it finds what it needs by our own path.
    """
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    path = [str(Path(__file__).parents[2]), *map(os.path.abspath, sys.path)]
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


_open_heads: weakref.WeakSet[Head] = weakref.WeakSet()


def _forget_all() -> None:
    for head in list(_open_heads):
        head.forget()


# A child forked without exec must keep neither the lock nor the pipe: they tell whether the head lives.
os.register_at_fork(after_in_child=_forget_all)
