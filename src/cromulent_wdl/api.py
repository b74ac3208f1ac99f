"""Runs from Python, for notebooks and services: the same as the command line's, by the same steps.

    import cromulent_wdl
    run = cromulent_wdl.run("align.wdl", {"reads": ["s3://lab/a.fq"]}, on="aws")
    run.wait(check=True)
    run.outputs["align.bam"]
    run.logs("align[0]")

A run does not need the process that started it, if it is in the cloud; one here ends with it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from .clock import SYSTEM, Clock
from .errors import CromulentError, UsageError
from .runs.status import FINAL, RunStatus, State
from .runs.watch import Watch

__all__ = ["Run", "RunFailed", "attach", "run"]

_LOOK_EVERY = 1.0
"""No setting: a head in the cloud writes once a second. Who wants to look himself has `status`."""


class RunFailed(CromulentError):
    """The run has no outputs: it failed, was stopped, or has not ended."""


class Run:
    """A run, here or in the cloud. Make one by `run` or `attach`."""

    def __init__(self, directory: Path, process: subprocess.Popen[bytes] | None = None, clock: Clock = SYSTEM) -> None:
        self.directory = directory
        """The run directory; of a run in the cloud, the copy of its record on this machine."""
        self.id = directory.name
        self._process = process
        self._watch: Watch | None = None
        self._clock = clock

    def __repr__(self) -> str:
        """Say which run it is, without asking anybody."""
        return f"<run {self.id}>"

    def status(self) -> RunStatus:
        """Return how the run is doing, with its calls."""
        if self._watch is None:
            self._watch = Watch(self.directory)
        return self._watch.status()

    @property
    def state(self) -> str:
        """One word: queued, running, ok, failed, stopped or lost."""
        return self.status().state.value

    def wait(self, timeout: float | None = None, *, check: bool = False) -> Run:
        """Return when the run has ended: however it did, or with `check` only if it went well, else RunFailed.

        Raises TimeoutError when it has not after so many seconds.
        """
        end = None if timeout is None else self._clock.monotonic() + timeout
        while not self._over():
            if end is not None and self._clock.monotonic() > end:
                raise TimeoutError(f"{self.id} has not ended after {timeout:g} s")
            self._clock.sleep(_LOOK_EVERY)
        if check:
            self._went_well()
        return self

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs by name; files are paths, or addresses in S3. Raises RunFailed where there are none."""
        return self._outputs(None)

    def download(self, directory: str | os.PathLike[str]) -> dict[str, Any]:
        """Bring the output files of a run in the cloud into a directory; return the outputs with their paths."""
        return self._outputs(Path(directory))

    def logs(self, call: str | None = None, *, stdout: bool = False) -> str:
        """Return the run's log, or what a call has written to its standard error (or output) so far."""
        from .runs.logs import call_log, find_call, run_log

        status = self.status()
        if call is None:
            path: Path | None = run_log(self.directory, status)
        else:
            path = call_log(self.directory, find_call(call, status), stdout=stdout)
        return path.read_text(encoding="utf-8", errors="replace") if path is not None and path.exists() else ""

    def stop(self) -> Run:
        """End the run before its time, and return when it has ended."""
        from .cli.finding import in_cloud
        from .cli.stopping import stop_cloud, stop_local, wait_for_cloud

        if in_cloud(self.directory):
            from .runs.mirror import Mirror

            mirror = Mirror(self.directory)
            stop_cloud(mirror)
            wait_for_cloud(mirror)
        else:
            stop_local(self.directory)
        return self.wait()

    def _over(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return False
        return self.status().state in FINAL

    def _outputs(self, download: Path | None) -> dict[str, Any]:
        from .cli.finding import in_cloud
        from .cli.local_follow import outputs_here

        self._went_well()
        if not in_cloud(self.directory):
            return outputs_here(self.directory)
        from .cli.cloud_outputs import outputs_of
        from .runs.mirror import Mirror

        return outputs_of(Mirror(self.directory), download)[1]

    def _went_well(self) -> None:
        status = self.status()
        if status.state is not State.OK:
            raise RunFailed(self._why(status), hint=f"cromulent why {self.id}")

    def _why(self, status: RunStatus) -> str:
        if status.ended is not None:
            return f"{self.id} {status.state.value}: {status.ended.message}".rstrip(": ")
        return f"{self.id} is {status.state.value}"


def run(
    source: str | os.PathLike[str],
    inputs: Mapping[str, Any] | None = None,
    *,
    on: Literal["here", "aws"] = "here",
    **options: Any,
) -> Run:
    """Start a workflow or task and return its run, without waiting for it to end.

    `options` are those of `cromulent run`, by their long names with underscores: `task="align"`, `no_cache=True`,
    `backend="docker"`, `dir="runs"`, `name="lab"`. What `cromulent run` refuses raises UsageError, or what keeps us
    from AWS or the engine, before anything is started.
    """
    from .cli.from_python import options_of, start_here

    asked = options_of(os.fspath(source), on, options)
    given = json.dumps(dict(inputs), default=os.fspath) if inputs is not None else asked.input_file or "{}"
    if on == "aws":
        from .cli.cloud import begin
        from .runs.mirror import mirror_of

        with redirect_stderr(io.StringIO()):  # what a person at a terminal is told
            started, _ = begin(replace(asked, input_file=given, detach=True))
        return Run(mirror_of(started))
    parent = Path(asked.directory or "").absolute()
    return Run(*start_here(os.fspath(source), given, parent, options))


def attach(run: str, **where: str) -> Run:
    """Return a run that is there: by its id or the beginning of it, its directory, or `last`.

    `where` says which deployment, as on the command line: `name`, `profile`, `region`. Raises RunNotFound.
    """
    from .cli.finding import find

    if unknown := where.keys() - {"name", "profile", "region"}:
        raise UsageError(f"a run is found by its name, profile and region, and not by '{unknown.pop()}'")
    return Run(find(run, {"deployment" if option == "name" else option: value for option, value in where.items()}))
