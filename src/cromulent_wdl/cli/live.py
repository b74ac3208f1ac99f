"""A run as a table that changes in place: one row a call, the ones that matter now first."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..clock import SYSTEM
from ..model import (
    CallCached,
    CallEnded,
    CallQueued,
    CallStarted,
    Ending,
    Event,
    RunStarted,
    TaskEnded,
    TaskImage,
    TaskPlaced,
    TaskStarted,
    TaskWaiting,
)
from ..runs.status import ancestors
from ..storage import layout
from ..units import format_duration, format_memory
from . import ui
from .failure import Failure
from .progress import tell
from .spending import Spending

__all__ = ["LiveView"]

_REFRESHES_A_SECOND = 4
_LINES_KEPT_FREE = 4
_TAIL_BYTES = 1024
_ORDER = {"failed": 0, "running": 1, "waiting": 2, "ok": 3, "cached": 3, "stopped": 3, "queued": 4}
"""Which rows stay when there are more calls than lines."""


@dataclass
class _Row:
    call: str
    state: str = "queued"
    since: float = 0.0
    until: float | None = None
    directory: str = ""
    attempt: int = 1
    needs: str = ""
    note: str = ""


class LiveView:
    """Shows a run in place on the terminal; at the end the table stays, and the failure is told below it."""

    def __init__(self, heading: str, directory: Path, name: str) -> None:
        self._heading = heading
        self._directory = directory
        self._name = name
        self._rows: dict[str, _Row] = {}
        self._parents: set[str] = set()
        self._lock = threading.Lock()
        self._spending = Spending()
        self._began = SYSTEM.now()
        self._console = ui.console(sys.stderr)
        self._live = self._table()

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the table away for as long as something else is on the terminal, and show it again below that."""
        self._live.transient = True
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._table()
            self._live.start()

    def _table(self) -> Live:
        return Live(
            console=self._console, get_renderable=self.__rich__, refresh_per_second=_REFRESHES_A_SECOND, transient=False
        )

    def __call__(self, event: Event) -> None:
        """Change the row of the event's call."""
        self._spending.add(event)
        if isinstance(event, RunStarted):
            self._began = min(self._began, event.at)
        call = getattr(event, "call", "")
        if not call:
            return
        with self._lock:
            self._make_way(call)
            if call in self._parents:
                return
            row = self._rows.get(call)
            if row is None:
                row = self._rows[call] = _Row(call, since=event.at)
            _change(row, event)

    def _make_way(self, call: str) -> None:
        """Take a subworkflow's row away once its own calls have theirs."""
        for parent in ancestors(call):
            if parent not in self._parents:
                self._parents.add(parent)
                self._rows.pop(parent, None)

    def succeeded(self) -> None:
        """Leave the table as it is."""
        self._live.stop()

    def failed(self, failure: Failure) -> None:
        """Stop moving, and tell the failure below the table."""
        now = SYSTEM.now()
        with self._lock:
            for row in self._rows.values():
                if row.until is None:
                    row.since = now if row.state == "queued" else row.since
                    row.state, row.until, row.note = "stopped", now, ""
        self._live.stop()
        tell(self._name, self._directory, failure, sum(row.state in ("ok", "cached") for row in self._rows.values()))

    def __rich__(self) -> RenderableType:
        """Return the table as it is now, in the room that the terminal has."""
        now = SYSTEM.now()
        with self._lock:
            rows = list(self._rows.values())
        room = max(3, self._console.height - _LINES_KEPT_FREE)
        shown = set(map(id, sorted(rows, key=_rank)[:room]))
        grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
        for _ in range(4):
            grid.add_column(no_wrap=True, max_width=self._console.width // 2)
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for row in rows:
            if id(row) in shown:
                grid.add_row(*self._cells(row, now))
        parts: list[RenderableType] = [self._title(now), grid]
        if len(rows) > room:
            parts.append(_line(f"  {_counts(rows)}", "dim"))
        return Group(*parts)

    def _title(self, now: float) -> Text:
        """Return what runs and for how long; where that is too long for a line, the first part is cut."""
        spent = self._spending.text(now)
        elapsed = f"  {format_duration(now - self._began)}" + (f"  {spent}" if spent else "")
        title = _line(self._heading, "bold")
        title.truncate(self._console.width - len(elapsed), overflow="ellipsis")
        return title.append(elapsed)

    def _cells(self, row: _Row, now: float) -> tuple[Text, Text, Text, Text, Text]:
        mark, colour = ui.MARKS[row.state]
        elapsed = format_duration((row.until or now) - row.since) if row.state != "queued" else ""
        note = self._last_words(row) if row.state == "running" else row.note
        return (
            Text(f"  {mark}", style=colour),
            Text(_end_of(row.call, self._console.width // 2)),
            Text(elapsed, justify="right"),
            Text(row.needs, style="dim"),
            Text(note, style="dim"),
        )

    def _last_words(self, row: _Row) -> str:
        name = layout.stream_file("stderr", row.attempt)
        try:
            with open(self._directory / row.directory / name, "rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - _TAIL_BYTES))
                lines = file.read().decode(errors="replace").replace("\r", "\n").split("\n")
        except OSError:
            return ""
        words = next((line for line in reversed(lines) if line.strip()), "")
        return "".join(letter for letter in words if letter.isprintable())


def _line(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _end_of(call: str, room: int) -> str:
    """Return as much of a call's path as there is room for: its end, since that tells it from others."""
    return call if len(call) <= room else f"…{call[-(room - 1) :]}"


def _rank(row: _Row) -> tuple[int, float]:
    """Return by what rows are chosen where there is not room for all: first by state, then the latest ended."""
    return _ORDER[row.state], -(row.until or 0.0)


def _change(row: _Row, event: Event) -> None:
    """Apply an event to its row."""
    if isinstance(event, CallQueued):
        row.state = "queued"
    elif isinstance(event, CallStarted):
        row.since, row.directory, row.note = event.at, event.directory, ""
    elif isinstance(event, TaskPlaced):
        row.attempt, row.needs = event.attempt, _needs(event)
    elif isinstance(event, TaskWaiting):
        row.state, row.note = "waiting", event.why
    elif isinstance(event, TaskImage):
        row.note = event.image
    elif isinstance(event, TaskStarted):
        row.state = "running"
    else:
        _finish(row, event)


def _finish(row: _Row, event: Event) -> None:
    if isinstance(event, TaskEnded):
        row.note = event.message
    elif isinstance(event, CallCached):
        row.state, row.since, row.until, row.note = "cached", event.at, event.at, "from the call cache"
    elif isinstance(event, CallEnded):
        row.until = event.at
        row.state = {Ending.OK: "ok", Ending.STOPPED: "stopped"}.get(event.ending, "failed")
        row.note = "" if event.ending is Ending.OK else event.message


def _needs(event: TaskPlaced) -> str:
    cores = f"{event.cpu} core{'s' if event.cpu > 1 else ''}" if event.cpu else ""
    return ", ".join(filter(None, [cores, format_memory(event.memory) if event.memory else ""]))


def _counts(rows: list[_Row]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        word = {"ok": "done", "cached": "done", "queued": "waiting"}.get(row.state, row.state)
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in counts.items())
