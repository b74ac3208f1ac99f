"""One attempt on the shared disk: the script that its container runs, who claimed it, and the result that it left.

The ECS command is `/bin/sh <script>`. Of all containers that run the script the first claims the attempt and goes on;
the head can take the claim itself (`revoke`), and then none does. When all is written, the script leaves an empty file
under the attempt's key in one directory a run, which `take_ended` lists.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ...model import Task, Usage
from ...storage.layout import ATTEMPTS, ENDED
from ...units import KIB
from ..figures import FUNCTIONS, parse
from ..inputs import call_it_work

__all__ = [
    "CLAIM_LOST",
    "REVOKED",
    "Attempt",
    "Limits",
    "Result",
    "claimed_by",
    "find_attempt",
    "prepare_attempt",
    "read_result",
    "refusal",
    "revoke",
    "take_ended",
    "task_of_claim",
]

CLAIM_LOST = 75
"""The exit status of a container that found its attempt claimed by another, or revoked; it has touched nothing."""
UNWRITABLE = (73, 74)
"""The exit statuses of one that could not write to the shared disk; its own stderr says where."""
REVOKED = "revoked"

_SCRIPT = Path(__file__).with_name("wrapper.sh").read_text(encoding="utf-8")
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_TASK = re.compile(r"([0-9a-f]{32})-")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODEL = re.compile(r"^cpu_model\s+(.*)$", re.MULTILINE)
_DISK = re.compile(r"^disk_used (\d{1,18})$", re.MULTILINE)
"""KiB of the file system of `/` that were in use: at the end, and the most at any look before."""
_WORD = re.compile(r"^([a-z_]+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Limits:
    """How long things may take in the container, in seconds."""

    deadline: float = 0.0
    """Of the command, from its start; 0 for none."""
    grace: float = 10.0
    """From SIGTERM to SIGKILL at the deadline."""
    stop_timeout: float = 120.0
    """That of the task definition: from ECS's SIGTERM to its SIGKILL."""
    look: float = 20.0
    """Between looks at whether the attempt was revoked."""

    @property
    def notice(self) -> float:
        """What the command gets of the stop timeout; the rest is for writing down how it ended."""
        return self.stop_timeout - max(1.0, min(10.0, self.stop_timeout / 4))


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Attempt:
    """One attempt's directory on the shared disk; `script` is what its container is to run with /bin/sh."""

    key: str
    directory: Path
    script: Path

    @property
    def command(self) -> tuple[str, str]:
        """The container's command line."""
        return "/bin/sh", str(self.script)


@dataclass(frozen=True)
class Result:
    """What a container left behind whose wrapper lived to the end."""

    exit_code: int
    """The command's own; 128 + n for one that signal n ended."""
    usage: Usage = field(default_factory=Usage)
    oom_kills: int = 0
    """Processes that the kernel killed for memory while the command ran."""
    no_shell: bool = False
    """The task's shell is not in the image; nothing ran."""
    deadline: bool = False
    """It was stopped because its time was over."""
    terminated: bool = False
    """It was stopped because ECS asked: by StopTask, or Spot's warning."""
    revoked: bool = False
    """It has stopped itself because the head had revoked it: its outputs are not to be used."""
    cpu_model: str = ""

    @property
    def asked_to_end(self) -> bool:
        """Whether the wrapper told the command to end, and killed it if it did not heed that."""
        return self.deadline or self.terminated or self.revoked


def refusal(task: Task) -> str | None:
    """Return in one sentence why the task cannot be run by a script on the shared disk, or None. Pure."""
    for name in task.environment:
        if not _NAME.fullmatch(name):
            return f"a shell cannot set an environment variable of the name '{name}'"
    if not task.directory.is_relative_to(task.run_directory):
        return f"it works in {task.directory}, which is not in its run's directory, and that is all that it would see"
    if not task.shell.split():
        return "no shell is configured for its command"
    return None


def find_attempt(run_directory: Path, key: str) -> Attempt:
    """Return the attempt of that key, which may not have been prepared."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} cannot be the key of an attempt")
    directory = run_directory / ATTEMPTS / key
    return Attempt(key, directory, directory / "script")


def prepare_attempt(task: Task, key: str, limits: Limits = NO_LIMITS) -> Attempt:
    """Make the attempt's directory with all that its container needs, and its working directory known as `work`.

    The key is the attempt's alone, among all attempts of the run. Inputs are laid out beforehand. Raises OSError;
    FileExistsError where the key has been used.
    """
    attempt = find_attempt(task.run_directory, key)
    ended = task.run_directory / ENDED
    ended.mkdir(parents=True, exist_ok=True)
    attempt.directory.mkdir(parents=True)
    call_it_work(task)
    if task.environment:
        _write_private(attempt.directory / "environment", _environment(task))
    attempt.script.write_text(_script(task, attempt, ended / key, limits), errors="surrogateescape")
    return attempt


def read_result(attempt: Attempt) -> Result | None:
    """Return what the attempt's container left, or None where there is nothing, or nothing whole, to be seen yet."""
    try:
        text = (attempt.directory / "result").read_text(errors="replace")
    except OSError:
        return None
    words = dict(_WORD.findall(text))
    if not text.endswith("\nend\n") or "exit" not in words:
        return None
    figures = parse(text, own_cgroup="own_cgroup" in words)
    model = _MODEL.search(text)
    return Result(
        exit_code=int(words["exit"]),
        usage=msgspec.structs.replace(figures.usage, disk_peak=_disk_peak(text)),
        oom_kills=max(0, figures.oom_kills - int(words.get("oom_kills_before", 0))),
        no_shell="no_shell" in words,
        deadline="deadline" in words,
        terminated="terminated" in words,
        revoked="revoked" in words,
        cpu_model=model.group(1).strip() if model else "",
    )


def _disk_peak(text: str) -> int | None:
    return max((int(found) * KIB for found in _DISK.findall(text)), default=None)


def revoke(attempt: Attempt) -> str | None:
    """Take the attempt's claim, so that no container ever runs it; return who has it where that is too late.

    None means that nothing ran and nothing will. Otherwise it is the container's name (the end of its metadata
    address, which begins with the ECS task's id, or `unknown`), and it runs until its task has stopped, or until it
    looks at its claim and stops itself. What secrets the attempt had on the disk are gone in either case.
    """
    holder: str | None = None
    try:
        descriptor = os.open(attempt.directory / "claim", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w") as claim:
            claim.write(f"{REVOKED}\n")
    except FileExistsError:
        holder = claimed_by(attempt)
        if holder != REVOKED:
            with (attempt.directory / "claim").open("a") as claim:
                claim.write(f"{REVOKED}\n")
    with suppress(FileNotFoundError):
        (attempt.directory / "environment").unlink()
    return None if holder == REVOKED else holder


def claimed_by(attempt: Attempt) -> str | None:
    """Return who claimed the attempt: a container's name, REVOKED, or None for nobody that can be seen yet."""
    try:
        return (attempt.directory / "claim").read_text().partition("\n")[0] or "unknown"
    except FileNotFoundError:
        return None


def task_of_claim(attempt: Attempt) -> str | None:
    """Return the id of the ECS task that claimed the attempt, or None where that cannot be seen."""
    found = _TASK.match(claimed_by(attempt) or "")
    return found.group(1) if found else None


def take_ended(run_directory: Path) -> tuple[str, ...]:
    """Return the keys of attempts that have ended since this was last asked: one listing of one directory.

    Each is told once; what a head did not get to do with it, the next one finds by `read_result`.
    """
    ended = run_directory / ENDED
    try:
        keys = os.listdir(ended)
    except FileNotFoundError:
        return ()
    for key in keys:
        with suppress(FileNotFoundError):
            (ended / key).unlink()
    return tuple(keys)


def _script(task: Task, attempt: Attempt, marker: Path, limits: Limits) -> str:
    values = {
        "here": str(attempt.directory),
        "marker": str(marker),
        "call": task.container_directory,
        "stdout": str(task.stdout),
        "stderr": str(task.stderr),
        "deadline": str(max(1, round(limits.deadline)) if limits.deadline else 0),
        "grace": str(max(1, round(limits.grace))),
        "notice": str(max(1, round(limits.notice))),
        "look": str(max(1, round(limits.look))),
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join([*lines, shlex.join(["set", "--", *task.shell.split()]), FUNCTIONS, _SCRIPT])


def _environment(task: Task) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in task.environment.items())


def _write_private(path: Path, text: str) -> None:
    """Write what nobody but the task's user, who is the head's, may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", errors="surrogateescape") as file:
        file.write(text)
