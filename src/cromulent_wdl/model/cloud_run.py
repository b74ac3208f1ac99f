"""What a run in the cloud leaves in the deployment's bucket beside its journal, as values."""

from __future__ import annotations

import math
import re
from datetime import datetime

import msgspec

__all__ = ["HeadRecord", "RunRequest", "RunResult", "begun_in", "name_in"]

_STAMP = re.compile(r"\d{8}_\d{6}(?=_)")


def name_in(run: str) -> str:
    """Return the workflow's name within a run's id."""
    return run.rpartition("-")[0].partition("_")[2].partition("_")[2] or run


def begun_in(run: str) -> float:
    """Return when a run was started, by its id; in a time that never comes where that does not say."""
    stamp = _STAMP.match(run)
    try:
        return datetime.strptime(f"{stamp[0] if stamp else ''}+0000", "%Y%m%d_%H%M%S%z").timestamp()
    except ValueError:
        return math.inf


class RunRequest(msgspec.Struct, frozen=True):
    """What was asked for: the input of an execution of the run machine, with the machine's defaults."""

    bundle: str
    version: int = 1
    caller: str = ""
    """Who asked, as an ARN; empty where nobody said."""
    headCpu: str = "1024"
    headMemory: str = "2048"
    timeout: int = 0
    """Seconds for which a head may run."""


class RunResult(msgspec.Struct, frozen=True):
    """How a run ended."""

    run: str
    state: str
    """ok, failed or stopped; only the copy of a run may say that it is lost."""
    error: str = ""
    """A name for it, as Step Functions wants one; empty where all went well."""
    message: str = ""
    call: str = ""
    """The call at the root of a failure."""
    exit_status: int = 0
    """That `cromulent run` ends with."""
    last_words: tuple[str, ...] = ()
    """The last lines of the failed command's standard error."""
    outputs: str = ""
    """The address of outputs.json; empty where there are none."""
    version: int = 1


class HeadRecord(msgspec.Struct, frozen=True):
    """One head of a run: the ECS task that it is, and where its log is."""

    task: str
    started: float
    log_group: str = ""
    log_stream: str = ""
