"""Cleans up after heads that died: ends their processes, removes their containers, forgets them.

The guardian does it as soon as its head is gone and leaves a note in the head's entry; `sweep`, when the next
run begins, does it for heads that died with their guardian, and takes the notes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ..clock import SYSTEM, Clock
from ..errors import EngineError
from ..storage.layout import FARGATE_RUN
from .heads import ENGINES, HeadInfo, scratch_prefix
from .leases import LEASE, Machine

__all__ = ["CleanedUp", "clean_up", "leave_note", "mounted_below", "remove_containers", "remove_scratch", "sweep"]

RemoveContainers = Callable[[str, str, str], int]
"""Removes the containers of a head, given its id, the engine's kind and the engine's address."""

_NOTE = "note.json"
_GUARDIAN_PATIENCE = 5.0
_PAUSE = 0.05
"""Seconds for which a guardian may take to end what its head left, which it kills; no settings, as in `strays.py`."""
_ENGINE_PATIENCE = 86_400.0
"""Seconds for which an entry is kept because an engine that holds containers of it does not answer."""


class CleanedUp(msgspec.Struct, frozen=True):
    """What was left of one dead head."""

    run_id: str
    directory: str
    processes: int = 0
    containers: int = 0
    complete: bool = True
    """Whether every engine that it used answered."""

    def __str__(self) -> str:
        counts = ((self.processes, "process", "processes"), (self.containers, "container", "containers"))
        parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
        run = f"run {self.run_id or 'of an unknown name'}"
        if not self.complete:
            parts.append("an engine that it used does not answer, and will be asked again")
        done = f"cleaned up after {run}: {', '.join(parts)}" if parts else f"{run} was killed"
        if self.directory and (Path(self.directory) / FARGATE_RUN).exists():
            return f"{done}; what it started on Fargate may still run: its next head takes that over"
        return done if parts else f"{done}, and left nothing behind"


class _Count(msgspec.Struct, frozen=True):
    processes: int = 0
    containers: int = 0
    complete: bool = True
    """Whether every engine answered."""
    told: bool = False
    """Whether people have been told of this head before."""

    def plus(self, later: _Count) -> _Count:
        """Return the sum of two rounds of cleaning; the later one tells whether it is complete."""
        return _Count(self.processes + later.processes, self.containers + later.containers, later.complete, self.told)


def sweep(remove: RemoveContainers | None = None, clock: Clock = SYSTEM) -> tuple[CleanedUp, ...]:
    """Clean up after every dead head of this user on this machine; return those of which there is news."""
    machine = Machine(clock)
    try:
        swept = [_sweep_entry(entry, remove or remove_containers, clock) for entry in machine.entries()]
    finally:
        machine.close()
    return tuple(cleaned for cleaned in swept if cleaned is not None)


def clean_up(entry: Path, remove: RemoveContainers) -> _Count:
    """End and remove all that carries the id of the head with this entry."""
    from .strays import end_strays

    processes = end_strays(entry.name)
    containers, complete = 0, True
    for kind, address in _engines(entry):
        try:
            containers += remove(entry.name, kind, address)
        except EngineError:
            complete = False
    temporary = HeadInfo.read(entry).temporary
    for scratch in Path(temporary).glob(f"{scratch_prefix(entry.name)}*") if temporary else ():
        remove_scratch(scratch)
    return _Count(processes, containers, complete)


def remove_scratch(directory: Path) -> None:
    """Remove a directory for temporary files, with what is mounted in it."""
    for point in mounted_below(directory, Path("/proc/self/mountinfo")):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
    shutil.rmtree(directory, ignore_errors=True)


def mounted_below(directory: Path, table: Path) -> list[str]:
    """Return what a mount table says is mounted below a directory, the deepest first."""
    try:
        lines = table.read_text().splitlines()
    except OSError:
        return []  # not Linux: nothing is mounted there
    points = [_unescaped(line.split()[4]) for line in lines]
    return sorted((each for each in points if each.startswith(f"{directory}/")), key=len, reverse=True)


def _unescaped(path: str) -> str:
    """Return a path of a mount table as it is: it has blanks and the like as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), path)


def leave_note(entry: Path, count: _Count) -> None:
    """Write down in the entry what was cleaned, for the next run to say."""
    draft = entry / f".{_NOTE}"
    draft.write_text(json.dumps(msgspec.structs.asdict(count)))
    draft.rename(entry / _NOTE)


def remove_containers(head: str, kind: str, address: str) -> int:
    """Remove the head's containers from the engine and return how many there were.

    Raises EngineError.
    """
    from ..engine import connect, remove_containers_of

    # The address of the environment is left to the environment: it may come with certificates.
    of_environment = address in (os.environ.get("DOCKER_HOST"), os.environ.get("CONTAINER_HOST"))
    engine = connect("podman" if kind == "podman" else "docker", "" if of_environment else address)
    return remove_containers_of(engine, head)


def _sweep_entry(entry: Path, remove: RemoveContainers, clock: Clock) -> CleanedUp | None:
    with _locked(entry, clock) as dead:
        if not dead:
            return None
        info, note = HeadInfo.read(entry), _read_note(entry)
        count = clean_up(entry, remove)
        total = note.plus(count)
        if count.complete or clock.now() - info.started > _ENGINE_PATIENCE:
            shutil.rmtree(entry, ignore_errors=True)
        else:
            leave_note(entry, _Count(told=True))  # what is said now is not to be said again
    if note.told and not (total.processes or total.containers):
        return None
    return CleanedUp(info.run_id, info.directory, total.processes, total.containers, total.complete)


@contextmanager
def _locked(entry: Path, clock: Clock) -> Iterator[bool]:
    """Hold the lock of a dead head's entry; False for a live head, and for one that another sweeps."""
    try:
        lease = os.open(entry / LEASE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield False  # no head's entry, or swept by another meanwhile
        return
    deadline = clock.monotonic() + _GUARDIAN_PATIENCE
    dead = _try_lock(lease)
    # Killed a moment ago: its guardian is at work, and what that cleans up is to be said now, not by the run after.
    while not dead and clock.monotonic() < deadline and _is_gone(HeadInfo.read(entry).pid):
        clock.sleep(_PAUSE)
        dead = _try_lock(lease)
    try:
        yield dead
    finally:
        os.close(lease)


def _try_lock(lease: int) -> bool:
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_gone(pid: int) -> bool:
    """Tell whether there was such a process, and is none any more."""
    try:
        os.kill(pid or os.getpid(), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's, with the same number
        return False
    return False


def _engines(entry: Path) -> list[tuple[str, str]]:
    try:
        lines = (entry / ENGINES).read_text().splitlines()
    except OSError:
        return []
    engines = []
    for line in lines:
        try:
            kind, address = json.loads(line)
        except ValueError:
            continue  # torn by the head's death
        engines.append((str(kind), str(address)))
    return engines


def _read_note(entry: Path) -> _Count:
    try:
        record = json.loads((entry / _NOTE).read_bytes())
        return _Count(int(record["processes"]), int(record["containers"]), told=bool(record.get("told")))
    except (OSError, ValueError, LookupError, TypeError):
        return _Count()
