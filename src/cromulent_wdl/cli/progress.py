"""How a run is shown while it goes on: a live table on a terminal, else a line an event, or JSON.

A view hears the run's journal. What it says goes to standard error; the result is not its business.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from ..model import (
    CallCached,
    CallEnded,
    CallStarted,
    Ending,
    Event,
    TaskEnded,
    TaskPlaced,
    TaskStarted,
    TaskWaiting,
    to_json,
)
from ..runs.index import entries
from ..units import format_duration
from . import ui
from .failure import Failure
from .options import RunOptions
from .place import Place

__all__ = ["JsonView", "PlainView", "View", "tell", "view_named", "view_of"]


class View(Protocol):
    """Something that shows a run."""

    def __call__(self, event: Event) -> None:
        """Take note of an event, in whatever thread it happens."""

    def succeeded(self) -> None:
        """Say that the run is done."""

    def failed(self, failure: Failure) -> None:
        """Say why the run failed and what to do next."""

    def aside(self) -> AbstractContextManager[None]:
        """Make room on the terminal for a question, for the length of the block."""


@contextmanager
def view_of(options: RunOptions, here: Place, directory: Path, name: str) -> Iterator[View]:
    """Choose the view by the settings, and show it for the length of the block."""
    logging = options.verbose or options.debug or options.log_json
    heading = f"{name}  {directory.name}  here, on {here.description}"
    with view_named(here.session.settings.progress, logging, heading, directory, name) as view:
        yield view


@contextmanager
def view_named(progress: str, logging: bool, heading: str, directory: Path, name: str) -> Iterator[View]:
    """Show a run under a heading by the view that is asked for; `auto` is no live table where a log is shown."""
    if progress == "auto":
        progress = "live" if ui.coloured(sys.stderr) and not logging else "plain"
    if progress == "json":
        yield JsonView()
        return
    if progress == "plain":
        ui.note(heading)
        yield PlainView(name, directory)
        return
    from .live import LiveView

    with LiveView(heading, directory, name) as view:
        yield view


class JsonView:
    """Repeats the journal on standard error."""

    def __call__(self, event: Event) -> None:
        """Print the event as its line of the journal."""
        ui.note(to_json(event))

    def succeeded(self) -> None:
        """Say nothing: the journal's last event says it."""

    def failed(self, failure: Failure) -> None:
        """Say nothing: the journal's last event says it."""

    def aside(self) -> AbstractContextManager[None]:
        """Leave what has been said."""
        return nullcontext()


class PlainView:
    """Says one line where something happened that a person would want to know."""

    def __init__(self, name: str, directory: Path) -> None:
        self._name = name
        self._directory = directory
        self._lock = threading.Lock()
        self._started: dict[str, float] = {}
        self._why: dict[str, str] = {}
        self._done = 0

    def __call__(self, event: Event) -> None:
        """Say the event's line, if it has one."""
        with self._lock:
            line = self._line(event)
        if line:
            ui.note(line)

    def _line(self, event: Event) -> str | None:
        if isinstance(event, CallStarted):
            self._started[event.call] = event.at
        elif isinstance(event, TaskWaiting):
            return f"○ {event.call}  {event.why}"
        elif isinstance(event, TaskStarted):
            return f"● {event.call}  running" + (f", attempt {event.attempt}" if event.attempt > 1 else "")
        elif isinstance(event, CallCached):
            self._done += 1
            return f"✔ {event.call}  from the call cache (made in {event.origin})"
        elif isinstance(event, TaskEnded):
            self._why[event.call] = event.message or f"exit status {event.exit_code}"
        elif isinstance(event, TaskPlaced) and event.attempt > 1:
            why = self._why.pop(event.call, "")  # said once, however often the attempt is placed
            return f"○ {event.call}  attempt {event.attempt}, after: {why}" if why else None
        elif isinstance(event, CallEnded):
            return self._ended(event)
        return None

    def _ended(self, event: CallEnded) -> str:
        mark = {Ending.OK: "✔", Ending.STOPPED: "■"}.get(event.ending, "✘")
        self._done += event.ending is Ending.OK
        return f"{mark} {event.call}  {format_duration(event.at - self._started.get(event.call, event.at))}"

    def succeeded(self) -> None:
        """Say nothing: the result on standard output says it."""

    def failed(self, failure: Failure) -> None:
        """Say the root of the failure, what stays done, and what to type next."""
        tell(self._name, self._directory, failure, self._done)

    def aside(self) -> AbstractContextManager[None]:
        """Leave what has been said."""
        return nullcontext()


def tell(name: str, directory: Path, failure: Failure, done: int) -> None:
    """Say the root of a failure, how many calls stay done, and what to type next."""
    again = "run the same command again to go on from there"
    if failure.ending is Ending.STOPPED:
        ui.fail(f"{name} was stopped.", f"what was done stays done: {again}")
        return
    where = f" at {failure.call}" if failure.call else ""
    ui.fail(f"{name} failed{where}: {failure.message}")
    for line in failure.last_words:
        ui.note(f"  | {line}")
    if failure.stderr:
        ui.note(f"  stderr  {failure.stderr}")
    call = f" '{failure.call}'" if "[" in failure.call else f" {failure.call}" if failure.call else ""
    run = _called(directory)
    ui.note(f"  why     cromulent why {run}")
    ui.note(f"  log     cromulent logs {run}{call}")
    if done:
        ui.note(f"  again   {done} call{'s are' if done > 1 else ' is'} done; {again}")


def _called(directory: Path) -> str:
    """Return how the run is named in commands: `last`, unless another has been begun since."""
    listed = [entry.directory for entry in entries()]
    return directory.name if directory in listed[1:] else "last"
