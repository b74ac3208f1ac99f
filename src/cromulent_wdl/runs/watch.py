"""The status of a run from its directory, as often as one likes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..model import Event, RunStarted
from ..storage import layout
from .head import is_alive
from .journal import JournalReader
from .removal import noted
from .status import Fold, RunStatus

if TYPE_CHECKING:
    from .mirror import Mirror

__all__ = ["Watch"]


class Watch:
    """Keeps up with a run. With `of_run_only` it knows nothing of calls, and is quick with the longest journal.

    Then it does not ask either whether the record of a run that has ended is still in the bucket: many are looked at.

    `also` hears every event, so that who folds them in another way need not read the journal twice.
    """

    def __init__(
        self,
        directory: Path,
        *,
        of_run_only: bool = False,
        head_alive: Callable[[RunStarted], bool] = is_alive,
        also: Callable[[Event], None] | None = None,
    ) -> None:
        self.directory = directory
        self._reader = JournalReader(directory / layout.JOURNAL)
        self._fold = Fold()
        self._of_run_only = of_run_only
        self._also = also
        self._mirror = _mirror(directory)
        self._head_alive = head_alive

    def status(self) -> RunStatus:
        """Return the status as it is now. Raises JournalError, and for a run in the cloud AwsError and its kind."""
        if self._mirror is not None:
            self._mirror.refresh()
            if not self._of_run_only:
                self._mirror.removed()
        self._catch_up()
        alive = self._is_alive()
        if not alive:
            self._catch_up()  # the head may have written its last words before it went
        return self._fold.status(head_alive=alive, removed=noted(self.directory))

    def _is_alive(self) -> bool:
        """Whether the run goes on, or has ended in a way that somebody knows."""
        if self._mirror is not None:
            return not self._mirror.lost
        started = self._fold.unfinished
        return started is None or self._head_alive(started)

    def _catch_up(self) -> None:
        for event in self._reader.new(of_run_only=self._of_run_only):
            self._fold.add(event)
            if self._also is not None:
                self._also(event)


def _mirror(directory: Path) -> Mirror | None:
    """Return what brings the directory up to date, if it is the copy of a run in the cloud."""
    if not (directory / layout.CLOUD).exists():
        return None
    from .mirror import Mirror  # with all that speaks to AWS

    return Mirror(directory)
