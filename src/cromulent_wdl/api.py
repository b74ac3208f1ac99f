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
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, Literal

from .clock import SYSTEM, Clock, local_time
from .errors import CromulentError, UsageError
from .runs.status import FINAL, RunStatus, State
from .runs.watch import Watch
from .storage import layout

__all__ = ["Run", "RunFailed", "attach", "run"]

_LOOK_EVERY = 1.0
_SAID = "said.txt"
"""In the directory of a run here: what `cromulent run` has said on standard error."""


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
        if not (self.directory / layout.JOURNAL).exists():
            return RunStatus()  # its head has not come so far
        if self._watch is None:
            self._watch = Watch(self.directory)
        return self._watch.status()

    @property
    def state(self) -> str:
        """One word: queued, running, ok, failed, stopped or lost."""
        return State.FAILED.value if self._refused() else self.status().state.value

    def wait(self, timeout: float | None = None, *, check: bool = False) -> Run:
        """Return when the run has ended: however it did, or with `check` only if it went well, else RunFailed.

        Raises TimeoutError when it has not after so many seconds, and RunFailed where it was refused before it began.
        """
        end = None if timeout is None else self._clock.monotonic() + timeout
        while not self._over():
            if end is not None and self._clock.monotonic() > end:
                raise TimeoutError(f"{self.id} has not ended after {timeout:g} s")
            self._clock.sleep(_LOOK_EVERY)
        if self._refused():
            raise RunFailed(self._said())
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
        return self._refused() or self.status().state in FINAL

    def _refused(self) -> bool:
        """Whether what was to run it has ended before there was a run."""
        ended = self._process is not None and self._process.poll() is not None
        return ended and not (self.directory / layout.JOURNAL).exists()

    def _said(self) -> str:
        return (self.directory / _SAID).read_text(encoding="utf-8").strip()

    def _outputs(self, download: Path | None) -> dict[str, Any]:
        from .cli.finding import in_cloud
        from .cli.local_follow import outputs_here

        if self._refused():
            raise RunFailed(self._said())
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
    directory: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Run:
    """Start a workflow or task and return its run, without waiting for it.

    `options` are those of `cromulent run`, by their long names with underscores: `task="align"`, `no_cache=True`,
    `backend="docker"`, but for `--name`, which is `deployment="lab"`. Raises UsageError for what is wrong before
    anything is started, if it is in the cloud; a run here says so when its outputs are asked for.
    """
    if on not in ("here", "aws"):
        raise UsageError(f"a run is on 'here' or 'aws', not {on!r}")
    given = json.dumps(dict(inputs or {}), default=os.fspath)
    if on == "aws":
        from .cli.cloud import begin
        from .cli.options import RunOptions
        from .runs.mirror import mirror_of

        with redirect_stderr(io.StringIO()):  # what a person at a terminal is told
            started, _ = begin(RunOptions(source=os.fspath(source), input_file=given, on="aws", detach=True, **options))
        return Run(mirror_of(started))
    return _here(os.fspath(source), given, Path(directory or Path.cwd()), options)


def attach(name: str, **where: str) -> Run:
    """Return a run that is there: by its id or the beginning of it, its directory, or `last`.

    `where` says which deployment: `deployment`, `profile`, `region`. Raises RunNotFound.
    """
    from .cli.finding import find

    return Run(find(name, where))


def _here(source: str, inputs: str, parent: Path, options: Mapping[str, Any]) -> Run:
    name = Path(source).name.partition(".")[0]
    place = parent.absolute() / f"{local_time(SYSTEM.now()):%Y%m%d_%H%M%S}_{name}"
    for number in range(2, 1000):
        if not place.exists():
            break
        place = place.with_name(f"{place.name.partition('.')[0]}.{number}")
    place.mkdir(parents=True)
    command = [sys.executable, "-m", "cromulent_wdl", "run", source, "-i", inputs, "--dir", f"{place}/."]
    for option, value in options.items():
        flag = f"--{option.replace('_', '-')}"
        if value is True:
            command.append(flag)
        elif value not in (None, False):
            values = value if isinstance(value, (list, tuple)) else [value]
            command += [part for each in values for part in (flag, str(each))]
    with (place / _SAID).open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
    return Run(place, process)
