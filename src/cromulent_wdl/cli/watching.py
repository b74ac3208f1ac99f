"""Shows what CloudFormation does to a deployment: a bar on a terminal, a line a resource elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from ..aws.cloudformation import Event
from ..provision.plan import named
from . import ui

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Watch"]

_STACK = "AWS::CloudFormation::Stack"
_DONE = {"CREATE": "made", "UPDATE": "changed", "DELETE": "removed", "ROLLBACK": "put back"}


class Watch:
    """Told of a stack's events; `total` is the number of resources that are to be done."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done: set[str] = set()
        self._under_way: dict[str, str] = {}
        self._bar: Progress | None = None

    def __enter__(self) -> Watch:
        if sys.stderr.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = (TextColumn(" "), BarColumn(), MofNCompleteColumn(" of "), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=ui.console(sys.stderr), transient=True)
            self._task = self._bar.add_task("", total=self._total or None)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if event.kind == _STACK:
            return
        verb, _, state = event.status.rpartition("_")
        what = named(event.logical, event.kind)
        if state == "COMPLETE":
            former = "the former " if verb == "DELETE" and event.logical in self._done else ""
            self._done.add(event.logical)
            self._under_way.pop(event.logical, None)
            self._say(f"  {_DONE.get(verb, verb.lower())} {former}{what}")
        elif state == "FAILED":
            self._under_way.pop(event.logical, None)
            self._say(f"  failed {what}: {event.reason}")
        else:
            self._under_way[event.logical] = what
        self._show()

    def _say(self, line: str) -> None:
        if self._bar is None:
            ui.note(line)

    def _show(self) -> None:
        if self._bar is not None:
            waiting = next(iter(self._under_way.values()), "")
            self._bar.update(
                self._task, completed=len(self._done), description=f"waiting for {waiting}" if waiting else ""
            )
