"""The one table from an Ending to words: how a call ended, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from shlex import quote

from ..model import Ending
from ..units import GIB

__all__ = ["Circumstances", "happened", "next_memory", "tries"]

_HAPPENED: Mapping[Ending, str] = {
    Ending.OK: "did its work, but the call failed",
    Ending.FAILED: "ended with a status that it does not accept",
    Ending.OOM: "ran out of memory",
    Ending.DISK_FULL: "ran out of disk",
    Ending.NO_SHELL: "could not begin: its image cannot run a shell",
    Ending.PULL_TRANSIENT: "could not begin: its image could not be pulled",
    Ending.PULL_PERMANENT: "could not begin: its image is not there, or may not be read",
    Ending.BUILD: "could not begin: its image does not build",
    Ending.MOUNT: "could not begin: a file or directory could not be mounted",
    Ending.NETWORK: "could not begin: it got no network",
    Ending.CAPACITY: "could not begin: there was no room for it",
    Ending.SPOT: "lost its Spot capacity",
    Ending.QUOTA: "could not begin: the account's quota does not allow it",
    Ending.THROTTLED: "could not begin: AWS asked for fewer calls, again and again",
    Ending.LOST: "was lost: nobody knows how it ended",
    Ending.DEADLINE: "took longer than it may",
    Ending.BUDGET: "was not started: its run had cost as much as it may",
    Ending.REFUSED: "cannot run there; nothing was started",
    Ending.STOPPED: "was stopped",
}

_SIGNALS = {130: "interrupted", 134: "aborted", 135: "bus error", 136: "arithmetic error", 137: "killed",
            139: "segmentation fault", 141: "broken pipe", 143: "terminated"}  # fmt: skip
_STATUSES = {126: "a program was found but may not be executed", 127: "a program was not found", **_SIGNALS}


@dataclass(frozen=True)
class Circumstances:
    """What the words depend on."""

    ending: Ending
    run: str
    """As it is named on a command line."""
    call: str = ""
    """The call's path."""
    exit_code: int | None = None
    cloud: bool = False
    image: str = ""
    memory: int = 0
    """Bytes at which it was killed, or that it asked for."""
    storage: int = 0
    """GiB that it was given on Fargate."""
    directory: str = ""
    """The run's, on this machine."""
    build_log: str = ""


def happened(ending: Ending, exit_code: int | None) -> str:
    """Say in a phrase how a call ended."""
    if ending is not Ending.FAILED or exit_code is None:
        return _HAPPENED[ending]
    meaning = f" ({_STATUSES[exit_code]})" if exit_code in _STATUSES else ""
    return f"ended with status {exit_code}{meaning}"


def next_memory(memory: int) -> str:
    """Return twice the memory, in GiB where it is whole GiB, else in decimal units."""
    twice = 2 * memory
    if twice % GIB == 0:
        return f"{twice // GIB} GiB"
    unit, name = (10**9, "GB") if twice >= 10**9 else (10**6, "MB")
    return f"{-(-twice // unit)} {name}"


def tries(circumstances: Circumstances) -> tuple[str, ...]:
    """Return what to do next, the most promising first: sentences, and commands to type as they are."""
    return _TRIES[circumstances.ending](circumstances)


def _logs(c: Circumstances) -> str:
    return f"cromulent logs {c.run} {quote(c.call)}" if c.call else f"cromulent logs {c.run}"


def _again(c: Circumstances, *overrides: str) -> str:
    call = f"{_without_index(c.call)}." if c.call else ""
    words = [f"--runtime {quote(call + each)}" for each in overrides]
    return " ".join(["cromulent rerun", c.run, *words])


def _without_index(call: str) -> str:
    """Return the path as the inputs of a workflow name it: `align` for `align[7]`."""
    return ".".join(part.partition("[")[0] for part in call.split("."))


def _failed(c: Circumstances) -> tuple[str, ...]:
    return (_logs(c), f"mend the command or its input, then {_again(c)}")


def _oom(c: Circumstances) -> tuple[str, ...]:
    more = next_memory(c.memory) if c.memory else "16 GiB"
    return (_again(c, f"memory={more}"),)


def _disk_full(c: Circumstances) -> tuple[str, ...]:
    if c.cloud:
        more = min(200, 2 * max(c.storage, 20))
        return (_again(c, f"disks=local-disk {more} SSD"),)
    return (f"make room: df -h {quote(c.directory)}", _again(c))


def _no_shell(c: Circumstances) -> tuple[str, ...]:
    return (
        "name an image that has the shell and is made for this processor:",
        _again(c, "container=IMAGE"),
        "or have commands run by a shell that it has:",
        f"MINIWDL__TASK_RUNTIME__COMMAND_SHELL=/bin/sh {_again(c)}",
    )


def _pull_permanent(c: Circumstances) -> tuple[str, ...]:
    log_in = "and that the execution role may read it" if c.cloud else "and log in if it is private: docker login"
    return (f"look whether the name is right {log_in}", _again(c, "container=IMAGE"))


def _build(c: Circumstances) -> tuple[str, ...]:
    return (f"read what the build said: less {quote(c.build_log)}",) if c.build_log else (_logs(c),)


def _mount(c: Circumstances) -> tuple[str, ...]:
    if c.cloud:
        return ("cromulent doctor", _again(c))
    return ("look whether the file is still there and may be read by you", _again(c))


def _later(c: Circumstances) -> tuple[str, ...]:
    return (f"it is not the workflow's fault; later: {_again(c)}",)


def _capacity(c: Circumstances) -> tuple[str, ...]:
    return _later(c) if c.cloud else (f"end what else runs here, then {_again(c)}",)


def _spot(c: Circumstances) -> tuple[str, ...]:
    return (f"without Spot: {_again(c, 'preemptible=0')}",)


def _quota(c: Circumstances) -> tuple[str, ...]:
    return ("ask AWS for a higher quota; its link is in: cromulent doctor", _again(c))


def _refused(c: Circumstances) -> tuple[str, ...]:
    return (f"ask for less, or run it elsewhere: {_again(c)} --backend NAME",)


def _deadline(c: Circumstances) -> tuple[str, ...]:
    return (_logs(c), f"allow more time: {_again(c, 'timeout_minutes=N')}")


def _budget(c: Circumstances) -> tuple[str, ...]:
    return (f"cromulent cost {c.run}", f"allow more: {_again(c)} --max-cost DOLLARS")


def _stopped(c: Circumstances) -> tuple[str, ...]:
    return (f"go on from there: {_again(c)}",)


_TRIES: Mapping[Ending, Callable[[Circumstances], tuple[str, ...]]] = {
    Ending.OK: _failed,
    Ending.FAILED: _failed,
    Ending.OOM: _oom,
    Ending.DISK_FULL: _disk_full,
    Ending.NO_SHELL: _no_shell,
    Ending.PULL_TRANSIENT: _later,
    Ending.PULL_PERMANENT: _pull_permanent,
    Ending.BUILD: _build,
    Ending.MOUNT: _mount,
    Ending.NETWORK: _later,
    Ending.CAPACITY: _capacity,
    Ending.SPOT: _spot,
    Ending.QUOTA: _quota,
    Ending.THROTTLED: _later,
    Ending.LOST: _later,
    Ending.DEADLINE: _deadline,
    Ending.BUDGET: _budget,
    Ending.REFUSED: _refused,
    Ending.STOPPED: _stopped,
}
