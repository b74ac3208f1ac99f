"""The table between our endings and miniwdl's exceptions, both ways."""

from __future__ import annotations

from collections.abc import Callable

from WDL import Error
from WDL.runtime.error import CommandFailed, Interrupted, Terminated

from ..model import Ending, Outcome

__all__ = ["INTERRUPTIONS", "ending_of", "exception_of", "judged"]

INTERRUPTIONS = frozenset(
    {Ending.SPOT, Ending.LOST, Ending.CAPACITY, Ending.NETWORK, Ending.PULL_TRANSIENT, Ending.THROTTLED, Ending.QUOTA}
)
"""Not the task's fault, and trying again may help: these count against `preemptible`."""
_NOT_THE_COMMANDS = frozenset({Ending.STOPPED, Ending.LOST, Ending.DEADLINE, Ending.SPOT})
"""Endings whose exit status is no answer of the command's, whatever statuses the task accepts."""


def judged(outcome: Outcome, accepts: Callable[[int], bool]) -> Outcome:
    """Return the outcome as the task sees it, which says what exit statuses it accepts."""
    if outcome.exit_code is None or outcome.ending in _NOT_THE_COMMANDS:
        return outcome
    if accepts(outcome.exit_code):
        remark = outcome.message if outcome.ending is Ending.OK else ""
        return Outcome(Ending.OK, outcome.exit_code, remark, outcome.usage)
    if outcome.ending is Ending.OK:  # status 0, where the task wants another
        return Outcome(Ending.FAILED, outcome.exit_code, "the command ended with status 0", outcome.usage)
    return outcome


def exception_of(outcome: Outcome, stderr: str, stdout: str, *, final: bool = False) -> Exception:
    """Return what to raise for an attempt that did not end well; a final one miniwdl does not retry."""
    error = _exception_of(outcome, stderr, stdout)
    return _final(error) if final and not isinstance(error, Terminated) else error


def _exception_of(outcome: Outcome, stderr: str, stdout: str) -> Exception:
    details = {"ending": outcome.ending.value}
    if outcome.ending is Ending.STOPPED:
        return Terminated()
    if outcome.ending is Ending.BUILD:
        return _build_error(outcome)
    if outcome.ending in INTERRUPTIONS:
        return Interrupted(outcome.message, more_info=details)
    if outcome.exit_code is not None:
        # miniwdl's own sentence for an ordinary failure; ours where we know more than the exit status says
        message = "" if outcome.ending is Ending.FAILED else outcome.message
        return CommandFailed(outcome.exit_code, stderr, stdout, message=message, more_info=details)
    return Error.RuntimeError(outcome.message, more_info=details)


def _build_error(outcome: Outcome) -> Exception:
    import docker  # whose word for it miniwdl knows: it does not retry these

    error = docker.errors.BuildError(outcome.message, iter(()))
    vars(error)["more_info"] = {"ending": outcome.ending.value}
    return error


def _final(error: Exception) -> Exception:
    """Return the same error as one that miniwdl does not retry, which it knows by docker's class."""
    import docker

    kind = type(error)
    if issubclass(kind, docker.errors.BuildError):
        return error
    final = type(kind.__name__, (kind, docker.errors.BuildError), {})
    made: Exception = final.__new__(final, *error.args)
    vars(made).update(vars(error))
    return made


def ending_of(error: BaseException, outcome: Outcome | None = None) -> Ending:
    """Return how a call ended that raised `error`, its last attempt having ended in `outcome`."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Terminated):
            return Ending.STOPPED
        cause = cause.__cause__
    if outcome is not None and outcome.ending is not Ending.OK:
        return outcome.ending
    return Ending.FAILED
