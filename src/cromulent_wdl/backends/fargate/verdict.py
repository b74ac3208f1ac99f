"""How an attempt ended, from what ECS says and what its wrapper left on the disk."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from ...aws.decode import KILLED, EcsTask, ending_of_stop
from ...errors import (
    AwsDenied,
    AwsError,
    AwsThrottled,
    AwsUnreachable,
    CromulentError,
    FileUnstable,
    ImageNotFound,
    MountFailed,
)
from ...model import Ending, Outcome, Task, Usage
from ...units import GIB, MIB, format_duration, format_memory
from ..verdict import STOPPED, SURVIVED, Evidence, is_full, tail, verdict
from .following import Followed
from .sizes import Size
from .wrapper import CLAIM_LOST, UNWRITABLE, Result

__all__ = ["End", "lost", "outcome_of", "outcome_of_error"]


@dataclass(frozen=True)
class End:
    """All that is known of an attempt's end."""

    task: Task
    followed: Followed
    result: Result | None
    """What the wrapper left; None where it did not live to the end, or never lived."""
    size: Size
    """What the task had."""

    @property
    def ecs(self) -> EcsTask | None:
        """ECS's last record; None where it has forgotten the task, or has not noticed its end."""
        return self.followed.ecs

    @property
    def memory(self) -> int:
        """The bytes of memory that it had."""
        return self.size.memory * MIB

    def overdue(self, outcome: Outcome) -> Outcome:
        """Return the outcome as that of an attempt that took too long."""
        limit = format_duration(self.task.timeout)
        return replace(outcome, ending=Ending.DEADLINE, message=f"stopped when its time limit of {limit} was over")


def outcome_of(end: End) -> Outcome:
    """Return the outcome of an attempt whose ECS task has ended, or is taken to have."""
    if end.result is not None:
        outcome = _of_result(end, end.result)
    elif end.ecs is not None:
        outcome = _of_record(end, end.ecs)
    else:
        outcome = lost("ECS does not know its task any more, and it has left no result")
    if end.followed.overdue and outcome.ending is not Ending.OK:
        outcome = end.overdue(outcome)
    disk = end.size.disk * GIB
    outcome = replace(outcome, usage=_own(outcome.usage, disk), memory=end.memory, disk=disk)
    if outcome.exit_code == 0 and outcome.ending is not Ending.OK:
        outcome = replace(outcome, exit_code=None)  # or it would be taken for success
    if end.followed.stopped and outcome.ending is not Ending.OK:
        return Outcome(Ending.STOPPED, message=STOPPED.message, usage=outcome.usage)
    return outcome


def _own(usage: Usage, disk: int) -> Usage:
    """Return the usage without a peak of the disk that is more than it had: then there was more than its own on it."""
    return replace(usage, disk_peak=None) if (usage.disk_peak or 0) > disk else usage


def _of_result(end: End, result: Result) -> Outcome:
    code = result.exit_code
    said, words = ending_of_stop(end.ecs) if end.ecs is not None else (Ending.LOST, "nobody knows why it was stopped")
    killed = said is Ending.OOM or result.oom_kills > 0
    wholly = said is Ending.OOM and end.ecs is not None and end.ecs.exit_code == KILLED  # the wrapper, too
    if wholly or (killed and code != 0) or (code == KILLED and not result.asked_to_end):
        return Outcome(Ending.OOM, code, _out_of_memory(end.memory), result.usage)
    if result.no_shell:
        return Outcome(Ending.NO_SHELL, message=f"the image has no shell {end.task.shell.split()[0]}")
    if result.deadline:
        return end.overdue(Outcome(Ending.DEADLINE, code, usage=result.usage))
    if result.revoked:
        return lost("it was given up, and has stopped itself")
    if result.terminated:
        ending = said if said in (Ending.SPOT, Ending.STOPPED) else Ending.LOST
        return Outcome(ending, None, words, result.usage)
    evidence = Evidence(
        exit_code=code,
        memory_kills=int(killed),
        stderr_tail=tail(end.task.stderr) if code else "",
        disk_full=code != 0 and is_full(end.task.work),
    )
    return verdict(evidence, result.usage)


def _of_record(end: End, ecs: EcsTask) -> Outcome:
    if ecs.exit_code == CLAIM_LOST:
        return lost("another container had claimed the attempt")
    if ecs.exit_code in UNWRITABLE:
        return Outcome(Ending.MOUNT, message="the task could not write to the shared disk; its log says where")
    ending, words = ending_of_stop(ecs)
    if ending is Ending.OOM and ecs.exit_code == 0:  # which is the command's own: the wrapper passes it on
        ending, words = Ending.OK, SURVIVED
    elif ending is Ending.OOM:
        return Outcome(ending, ecs.exit_code, _out_of_memory(end.memory))
    code = ecs.exit_code if ending in (Ending.OK, Ending.FAILED) else None
    seconds = round(ecs.stopped_at - ecs.started_at, 2) if ecs.stopped_at and ecs.started_at else None
    return Outcome(ending, code, words, Usage(seconds=seconds))


def _out_of_memory(memory: int) -> str:
    return f"killed for memory: it had {format_memory(memory)}"


def lost(words: str) -> Outcome:
    """Return the outcome of what nobody knows the end of."""
    return Outcome(Ending.LOST, message=words)


_OF_ERRORS: tuple[tuple[type[CromulentError], Ending], ...] = (
    (AwsThrottled, Ending.THROTTLED),
    (AwsUnreachable, Ending.NETWORK),
    (AwsDenied, Ending.REFUSED),
    (ImageNotFound, Ending.PULL_PERMANENT),
    (MountFailed, Ending.MOUNT),
    (FileUnstable, Ending.MOUNT),
)


def outcome_of_error(error: CromulentError) -> Outcome:
    """Return the outcome of an attempt that AWS did not start, nor will."""
    ending = next((ending for kind, ending in _OF_ERRORS if isinstance(error, kind)), None)
    if ending is None:
        ending = Ending.LOST if isinstance(error, AwsError) and error.code in _PASSING else Ending.REFUSED
    return Outcome(ending, message=f"{error} ({error.hint})" if error.hint else str(error))


_PASSING = ("ServerException", "ServiceUnavailable", "InternalError")
