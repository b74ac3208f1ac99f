"""Shows how much of an upload or download has come through: a bar on a terminal, and a line at its end."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from ..clock import SYSTEM
from ..units import format_bytes
from . import ui

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

__all__ = ["Progress"]

_SILENT_SECONDS = 1.0
"""What takes no longer is not spoken of."""


class Progress:
    """Told of bytes as they come through, by any thread."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._lock = threading.Lock()
        self._bar: Bar | None = None
        self._began = SYSTEM.monotonic()

    def __enter__(self) -> Progress:
        if self._total and sys.stderr.isatty():
            from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Bar(*columns, console=ui.console(sys.stderr), transient=True)
            self._task = self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if error is None and self._total and SYSTEM.monotonic() - self._began > _SILENT_SECONDS:
            ui.note(f"  {self._what}: {format_bytes(self._total)}")

    def __call__(self, count: int) -> None:
        """Take note of bytes that have come through; of a part that is sent again they are negative."""
        if self._bar is not None:
            with self._lock:
                self._bar.update(self._task, advance=count)
