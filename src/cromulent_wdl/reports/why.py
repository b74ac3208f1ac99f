"""Why a run failed, in a screenful: the root of it, not the calls that were stopped because of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model import Ending
from ..model.deployment import DEPLOYMENT_REMOVED
from ..runs.logs import call_directory
from ..runs.status import Attempt, CallStatus, EcsTask, RunStatus, State
from ..storage import layout
from .advice import Circumstances, happened, tries
from .attempts import circumstances, took
from .evidence import Evidence, gather, read_json
from .explanation import Explanation, Fact

__all__ = ["Subject", "explain_call", "explain_run", "root_of"]

_TIMES = {1: "", 2: ", twice"}
_DONE = (State.OK, State.CACHED)
_SHOWN = 3


@dataclass(frozen=True)
class Subject:
    """The run that is asked about."""

    directory: Path
    status: RunStatus
    called: str
    """How it is named on a command line."""

    @property
    def name(self) -> str:
        """The workflow's name."""
        return self.status.started.name if self.status.started else self.directory.name


def root_of(status: RunStatus) -> CallStatus | None:
    """Return the call at the root of a failure: the one that the run's end names, else the first that failed."""
    if status.ended is not None and status.ended.call in status.calls:
        return status.calls[status.ended.call]
    failed = [call for call in status.calls.values() if call.state is State.FAILED]
    return min(failed, key=lambda call: call.ended_at or 0.0, default=None)


def explain_run(subject: Subject) -> Explanation:
    """Explain a run that is over, or whose head is gone."""
    status = subject.status
    if status.state is State.OK:
        return _fine(subject)
    if status.state is State.LOST:
        return _lost(subject)
    root = root_of(status)
    if status.state is State.STOPPED:
        return _stopped(subject)
    if root is None:
        return _without_call(subject)
    return explain_call(subject, root)


def explain_call(subject: Subject, call: CallStatus) -> Explanation:
    """Explain how a call ended."""
    evidence = gather(subject.directory, subject.status, call)
    last = _last_ended(call)
    ending, exit_code = _ending(call, last)
    if call.state in (State.RUNNING, State.WAITING, State.QUEUED):
        return _unfinished(call)
    if call.state in _DONE:
        return Explanation(f"{call.path} did not fail: it is {call.state.value}.", tuple(_tried(call, Ending.OK)))
    headline = f"{_subject_of(subject, call)} {happened(ending, exit_code)}{_times(call, ending)}"
    headline += _stopped_by(subject, call, ending)
    facts = [
        *_because(call, last, ending),
        *_aws_said(call, last),
        *_tried(call, ending),
        *_words(evidence),
        *_inputs(evidence),
        *_others(subject, call),
        *_state_of_calls(subject),
        *_source(subject, call),
    ]
    if evidence.stderr is not None:
        facts.append(Fact("stderr", str(evidence.stderr), verbatim=True))
    return Explanation(headline + ".", tuple(facts), tries(_circumstances(subject, call, ending, evidence)))


def _unfinished(call: CallStatus) -> Explanation:
    waits = f"it waits: {call.attempts[-1].waiting}" if call.attempts and call.attempts[-1].waiting else ""
    return Explanation(f"{call.path} has not ended; {waits or f'it is {call.state.value}'}.")


def _stopped_by(subject: Subject, call: CallStatus, ending: Ending) -> str:
    root = root_of(subject.status)
    return f" because {root.path} failed" if ending is Ending.STOPPED and root not in (None, call) else ""


def _source(subject: Subject, call: CallStatus) -> Iterable[Fact]:
    place = call_directory(subject.directory, call)
    position = _position(read_json(place / layout.ERROR)) if place is not None else ""
    if position:
        yield Fact("source", position, verbatim=True)


def _subject_of(subject: Subject, call: CallStatus) -> str:
    lone = subject.status.started is not None and subject.status.started.kind == "task"
    if root_of(subject.status) is not call:
        return call.path
    return f"{subject.name} failed: it" if lone else f"{subject.name} failed: {call.path}"


def _last_ended(call: CallStatus) -> Attempt | None:
    return next((attempt for attempt in reversed(call.attempts) if attempt.ended is not None), None)


def _ending(call: CallStatus, last: Attempt | None) -> tuple[Ending, int | None]:
    """Return how the call ended: as its last attempt did, unless that went well and the call did not."""
    if last is not None and last.ended is not None:
        return last.ended.ending, last.ended.exit_code
    return call.ending or Ending.FAILED, None


def _times(call: CallStatus, ending: Ending) -> str:
    """Say how often, if it ended so every time, else at which attempt."""
    ended = [attempt.ended.ending for attempt in call.attempts if attempt.ended is not None]
    if set(ended) <= {ending}:
        return _TIMES.get(len(ended), f", {len(ended)} times") if ended else ""
    return f", at attempt {len(ended)}"


def _because(call: CallStatus, last: Attempt | None, ending: Ending) -> Iterable[Fact]:
    """Give the engine's own sentence where it says more than the headline."""
    said = last.ended.message if last is not None and last.ended is not None else ""
    for text in dict.fromkeys(" ".join(each.split()) for each in (said, call.message)):
        if text and not text.startswith(("the command ended with status", "task command failed", "stopped with")):
            yield Fact("because", text)


def _aws_said(call: CallStatus, last: Attempt | None) -> Iterable[Fact]:
    """Give AWS's own words, where ours do not repeat them."""
    task = _last_ecs_task(call)
    if task is None or task.stopped is None:
        return
    stopped = task.stopped
    if stopped.stop_code == "EssentialContainerExited" and not stopped.container_reason:
        return
    ours = last.ended.message if last is not None and last.ended is not None else ""
    code = f" ({stopped.stop_code})" if stopped.stop_code else ""
    for text, more in ((stopped.reason, code), (stopped.container_reason, "")):
        if text and text not in ours:
            yield Fact("AWS said", text + more)


def _last_ecs_task(call: CallStatus) -> EcsTask | None:
    tasks = [task for attempt in call.attempts for task in attempt.ecs_tasks.values()]
    return tasks[-1] if tasks else None


def _tried(call: CallStatus, ending: Ending) -> Iterable[Fact]:
    """Say of each attempt where it ran, with what, how long and, where they differ, how it ended."""
    attempts = [attempt for attempt in call.attempts if attempt.placed is not None]
    endings = {attempt.ended.ending for attempt in attempts if attempt.ended is not None}
    if attempts and len({circumstances(attempt) for attempt in attempts}) == 1 and endings <= {ending}:
        yield Fact("ran" if any(took(attempt) for attempt in attempts) else "was to run", _together(attempts))
        return
    if len(attempts) > _SHOWN:
        yield Fact("tried", f"{len(attempts)} times; the last {_SHOWN}:")
    for attempt in attempts[-_SHOWN:]:
        how = ""
        if endings != {ending} and attempt.ended is not None:
            how = f": {happened(attempt.ended.ending, attempt.ended.exit_code)}"
        yield Fact("tried", f"{attempt.number}. {_began(attempt)} {circumstances(attempt)}{how}")


def _together(attempts: Sequence[Attempt]) -> str:
    """Say of attempts that had the same how long each took."""
    where, times = circumstances(attempts[-1]), [took(attempt) for attempt in attempts if took(attempt)]
    count = f"{len(attempts)} times " if len(attempts) > 1 else ""
    if not times:
        return f"{count}{where}; the command did not begin"
    shown = ", ".join(times[-_SHOWN:]) + (" at the last" if len(times) > _SHOWN else "")
    return f"{count}{where}, for {shown}"


def _began(attempt: Attempt) -> str:
    return f"for {took(attempt)}" if took(attempt) else "did not begin"


def _words(evidence: Evidence) -> Iterable[Fact]:
    if evidence.line:
        yield Fact("at", f"line {evidence.line_number} of the command: {evidence.line}")
    yield from (Fact("last words", word) for word in evidence.last_words)


def _inputs(evidence: Evidence) -> Iterable[Fact]:
    marked = sorted(evidence.inputs, key=lambda each: "others" not in each.remark)
    for each in marked[:_SHOWN]:
        yield Fact("input", f"{each.name} = {each.value}" + (f" ({each.remark})" if each.remark else ""))


def _others(subject: Subject, call: CallStatus) -> Iterable[Fact]:
    others = [c for c in subject.status.in_order() if c.state is State.FAILED and c.path != call.path]
    if others and subject.status.state is State.FAILED:
        named = ", ".join(other.path for other in others[:_SHOWN])
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        yield Fact("also failed", f"{named}{more}")


def _state_of_calls(subject: Subject) -> Iterable[Fact]:
    calls = subject.status.calls.values()
    done = sum(call.state in _DONE for call in calls)
    if subject.status.state in (State.FAILED, State.STOPPED, State.LOST) and len(calls) > 1:
        counted = f"{done} call{'' if done == 1 else 's'}, which stay{'s' if done == 1 else ''} done"
        yield Fact("done", counted if done else "nothing yet")


def _circumstances(subject: Subject, call: CallStatus, ending: Ending, evidence: Evidence) -> Circumstances:
    last = call.attempts[-1] if call.attempts else Attempt(0)
    task = _last_ecs_task(call)
    launched = task.launched if task is not None else None
    asked = last.placed.memory_limit or last.placed.memory if last.placed is not None else 0
    lone = subject.status.started is not None and subject.status.started.kind == "task"
    return Circumstances(
        ending,
        subject.called,
        "" if lone else call.path,
        cloud=last.placed is not None and last.placed.backend == "fargate",
        image=last.image,
        memory=max(launched.memory if launched else asked, call.usage.memory_peak or 0),
        storage=launched.storage if launched else 0,
        directory=str(subject.directory),
        build_log=str(evidence.build_log or ""),
    )


def _without_call(subject: Subject) -> Explanation:
    """Explain a failure that no call is to blame for: an expression of the workflow, say."""
    ended = subject.status.ended
    message = " ".join(ended.message.split()) if ended is not None else ""
    facts = [Fact("because", message)] if message else []
    position = _position(read_json(subject.directory / layout.ERROR))
    if position:
        facts.append(Fact("in", position, verbatim=True))
    again = f"mend it, then cromulent rerun {subject.called}"
    headline = f"{subject.name} failed, by itself rather than by one of its calls."
    return Explanation(headline, (*facts, *_state_of_calls(subject)), (f"cromulent logs {subject.called}", again))


def _position(error: dict[str, object]) -> str:
    while isinstance(cause := error.get("cause"), dict):
        error = cause
    position = error.get("pos")
    return f"{layout.unpacked(position['source'])} line {position['line']}" if isinstance(position, dict) else ""


def _stopped(subject: Subject) -> Explanation:
    said = subject.status.ended.message if subject.status.ended is not None else ""
    by = said if said.startswith("stopped by ") else "stopped"
    facts = [Fact("because", said)] if said not in ("", by, "Terminated") else []
    again = tries(Circumstances(Ending.STOPPED, subject.called))
    if DEPLOYMENT_REMOVED in said:
        again = ("cromulent up", *again)
    return Explanation(f"{subject.name} was {by}.", (*facts, *_state_of_calls(subject)), again)


def _lost(subject: Subject) -> Explanation:
    started = subject.status.started
    where = f"process {started.pid} on {started.host}" if started is not None else "its process"
    begun = [call for call in subject.status.in_order() if call.started_at is not None and call.ended_at is None]
    gone = f"its head, {where}, is gone: killed, or the machine went down"
    facts = [Fact("because", gone if subject.status.ended is None else subject.status.ended.message)]
    if begun:
        facts.append(
            Fact("at work", ", ".join(call.path for call in begun[:_SHOWN]) + (" …" if len(begun) > _SHOWN else ""))
        )
    again = [f"go on from there: cromulent rerun {subject.called}"]
    if started is not None and started.backend == "fargate" and subject.status.ended is None:
        again = [f"{again[0]}, which takes over what still runs on Fargate", "or stop that: cromulent reap"]
    return Explanation(f"{subject.name} was lost without a word.", (*facts, *_state_of_calls(subject)), tuple(again))


def _fine(subject: Subject) -> Explanation:
    retried = [call for call in subject.status.in_order() if len(call.attempts) > 1]
    facts = [
        Fact("again", f"{call.path}: {len(call.attempts)} attempts, the first {_first_end(call)}")
        for call in retried[:_SHOWN]
    ]
    if len(retried) > _SHOWN:
        facts.append(Fact("again", f"and {len(retried) - _SHOWN} more calls that were tried again"))
    return Explanation(f"{subject.name} did not fail: all of its calls are done.", tuple(facts))


def _first_end(call: CallStatus) -> str:
    ended = call.attempts[0].ended
    return happened(ended.ending, ended.exit_code) if ended is not None else "never ended"
