"""Follows a run in the cloud on the terminal, and brings its outputs home.

It reads the run's copy on this machine (runs/mirror.py). The run does not need us: whatever ends this process, the
run goes on, and `cromulent attach` follows it again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from ..aws.access import Access
from ..clock import SYSTEM, Clock
from ..errors import AwsError, AwsThrottled, AwsUnreachable, CredentialsError, CromulentError
from ..model import Ending
from ..model.cloud_run import RunResult, name_in
from ..runs.journal import JournalReader
from ..runs.mirror import CloudRun, Mirror, mirror_of
from ..storage import layout
from . import ui
from .cloud_outputs import outputs_of
from .failure import Failure
from .interrupts import Interrupts
from .options import RunOptions
from .progress import View, view_named
from .stopping import stop_cloud

__all__ = ["asks", "finish", "follow"]

_LOOK_EVERY = 1.0
"""No setting: the head writes once a second, and more looks would see nothing sooner."""
_DETACHED = 130


def follow(run: CloudRun, options: RunOptions, access: Access, clock: Clock = SYSTEM) -> int:
    """Show the run until it ends, print its result, and return its exit status."""
    mirror = Mirror(mirror_of(run), access)
    name = name_in(run.run)
    settings_progress = options.progress or "auto"
    heading = f"{run.run}  on {run.deployment}, {run.region}"
    quiet = options.verbose or options.debug or options.log_json
    with Interrupts() as interrupts, view_named(settings_progress, quiet, heading, mirror.directory, name) as view:
        result = _until_end(mirror, view, options.verbose, interrupts, clock)
        if result is None:
            return _DETACHED
        if result.state == "ok":
            view.succeeded()
        else:
            view.failed(_failure(result))
    return finish(mirror, result, options)


def finish(mirror: Mirror, result: RunResult, options: RunOptions) -> int:
    """Print the result of a run that has ended, having downloaded its outputs if that is wanted."""
    from .runner import print_result

    if result.state != "ok":
        content: dict[str, Any] = {"error": result.error, "message": result.message, "dir": _address(mirror)}
        print_result(content, options, failed=True)
        return result.exit_status or 1
    directory, outputs = outputs_of(mirror, Path(options.download) if options.download else None)
    print_result({"dir": directory or _address(mirror), "outputs": outputs}, options)
    return 0


def _address(mirror: Mirror) -> str:
    return f"s3://{mirror.run.bucket}/{mirror.keys.root}".rstrip("/")


def _until_end(mirror: Mirror, view: View, verbose: bool, interrupts: Interrupts, clock: Clock) -> RunResult | None:
    """Tell the view of all events, and return the result; None once the person at the terminal has left."""
    journal = JournalReader(mirror.directory / layout.JOURNAL)
    log = _Tail(mirror.directory / layout.HEAD_LOG)
    while True:
        try:
            _refresh(mirror)
            for event in journal.new():
                view(event)
            if verbose:
                for line in log.new():
                    ui.note(line)
            if (result := mirror.result()) is not None:
                return result
            with interrupts.welcome():
                clock.sleep(_LOOK_EVERY)
        except KeyboardInterrupt:
            if not _wants_stop(mirror.run.run, view, interrupts):
                return None
            _and_goes_on(mirror, stop_cloud)


def _refresh(mirror: Mirror) -> None:
    """Look again; a network that is away for a while is waited for."""
    try:
        _and_goes_on(mirror, Mirror.refresh)
    except (AwsUnreachable, AwsThrottled):
        return


def _and_goes_on(mirror: Mirror, ask: Callable[[Mirror], None]) -> None:
    """Ask AWS for something. The run needs nobody who can: an error says so, and how to come back."""
    try:
        ask(mirror)
    except (AwsError, CredentialsError) as error:
        hints = (error.hint, f"the run goes on: cromulent attach {mirror.run.run}")
        error.hint = "; ".join(filter(None, hints))
        error.exit_status = CromulentError.exit_status  # something was started, whatever else the error stands for
        raise


def asks() -> bool:
    """Whether there is somebody at a terminal, to be asked by Ctrl-C what is to become of the run."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _wants_stop(run: str, view: View, interrupts: Interrupts) -> bool:
    stop = False
    if asks():
        with suppress(KeyboardInterrupt, click.Abort), view.aside(), interrupts.welcome():
            stop = ui.confirm("Stop the run? (no: leave it, it goes on)")
    ui.note("Stopping: the head ends its tasks." if stop else f"The run goes on: cromulent attach {run}")
    return stop


def _failure(result: RunResult) -> Failure:
    ending = Ending.STOPPED if result.state == "stopped" else Ending.FAILED
    return Failure(ending, result.message, result.call, result.exit_status or 1, last_words=tuple(result.last_words))


class _Tail:
    """The lines of a file that grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> Iterator[str]:
        """Yield the lines that have come."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                for line in file:
                    self._offset += len(line)
                    yield line.decode(errors="replace").rstrip("\n")
        except FileNotFoundError:
            return
