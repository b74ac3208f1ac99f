"""What one process has of us while it runs workflows: a head, a backend, and the journal of each run under way.

The `cromulent` command opens its run itself (`begin`); under plain `miniwdl run` the coroutines do it when the
first workflow or task turns up. Everything is made when first needed and closed at exit.
"""

from __future__ import annotations

import atexit
import logging
import os
import platform
import socket
import threading
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from weakref import WeakKeyDictionary

from WDL import Tree
from WDL.runtime import config

from .. import __version__
from ..backends.aftermath import sweep
from ..backends.budget import Spent, nothing
from ..backends.heads import Head
from ..backends.registry import Choice, choose
from ..backends.workplace import Workplace
from ..clock import SYSTEM
from ..config import Settings
from ..model import Ending, Event, Outcome, RunEnded, RunStarted
from ..runs.index import register
from ..runs.journal import JournalReader, JournalWriter
from ..storage import layout
from .cache_place import remember_images, set_image_resolver
from .past import Past, past_of
from .pulse import Pulse
from .resuming import set_aside
from .settings import settings_of

__all__ = ["ActiveRun", "Session", "begin", "find", "session"]

Target = Tree.Workflow | Tree.Task

_lock = threading.RLock()
_sessions: dict[Settings, Session] = {}
_known: WeakKeyDictionary[config.Loader, Session] = WeakKeyDictionary()
"""The session of each configuration, as asked for twice a task: its settings take a millisecond to resolve."""
_runs: dict[str, ActiveRun] = {}
"""By directory. Read without the lock, several times a task."""


class ActiveRun:
    """A run that this process is the head of, and its journal."""

    def __init__(self, directory: Path, name: str, journal: JournalWriter, past: Past | None = None) -> None:
        self.directory = directory
        self.resumed = past is not None
        """Whether an earlier head of it has died."""
        self._past = past or Past()
        self.run_id = directory.name
        self._place = os.path.abspath(directory)
        self._within = self._place + os.sep
        self._name = name
        self._journal = journal
        self._ended = False
        self.stopped_by: int | None = None
        """The signal that told this head to stop, if one did."""

    def record(self, event: Event) -> None:
        """Append an event to the run's journal."""
        self._journal.append(event)

    def call_path(self, directory: str | os.PathLike[str]) -> str:
        """Return the path within the run of the call that runs in the directory: `inner.count[0]`.

        miniwdl names a call's directory `call-NAME`, with `-INDEX` behind it in a scatter. A lone task is
        called by its own name.
        """
        relative = self.relative(directory)
        if relative == ".":
            return self._name
        if relative.startswith(".."):
            return os.path.basename(os.path.abspath(directory))
        return ".".join(map(_call_name, relative.split(os.sep)))

    def relative(self, directory: str | os.PathLike[str]) -> str:
        """Return a directory as seen from the run's."""
        place = os.path.abspath(directory)
        if place.startswith(self._within):
            return place[len(self._within) :]
        return os.path.relpath(place, self._place)

    def ended_before(self, directory: str | os.PathLike[str]) -> Mapping[int, Outcome]:
        """Return how the attempts at the call that runs in the directory have ended under earlier heads."""
        return self._past.attempts.get(self.call_path(directory), {})

    def end(self, ending: Ending, message: str = "", call: str = "") -> None:
        """Record how the run ended and close the journal; only the first call counts."""
        with _lock:
            if self._ended:
                return
            self._ended = True
            _runs.pop(os.path.abspath(self.directory), None)
        self.record(RunEnded(SYSTEM.now(), ending, message, call))
        self._journal.close()
        if self._journal.lost:
            logging.getLogger("cromulent").warning(f"{self._journal.lost} events could not be written to the journal")


def _call_name(part: str) -> str:
    name, _, index = part.removeprefix("call-").partition("-")
    return f"{name}[{index}]" if index and part.startswith("call-") else part.removeprefix("call-")


class Session:
    """A backend with what it needs, shared by all runs of this process that have the same settings."""

    def __init__(self, settings: Settings, name: str, directory: Path) -> None:
        self.settings = settings
        self.pulse = Pulse()
        for cleaned in sweep():
            logging.getLogger("cromulent").warning(str(cleaned))
        self.head = Head.open(name, directory)
        self._lock = threading.Lock()
        self._choice: Choice | None = None
        atexit.register(self.close)

    @property
    def choice(self) -> Choice:
        """The backend of the settings, made when first asked for. Raises EngineUnavailable."""
        with self._lock:
            if self._choice is None:
                self._choice = choose(Workplace(self.settings, self.head, spent=_spent_of(self.settings)))
                backend = self._choice.backend
                set_image_resolver(backend.image_digest if backend.uses_images else None)
                for run in list(_runs.values()):
                    self.resume(run)
            return self._choice

    def resume(self, run: ActiveRun) -> None:
        """Have the backend, if there is one yet, know of a run that goes on."""
        if run.resumed and self._choice is not None:
            self._choice.backend.resume(run.directory)

    def close(self) -> None:
        """Close the backend and the head. No task is running."""
        atexit.unregister(self.close)
        with _lock:
            _sessions.pop(self.settings, None)
            for cfg in [cfg for cfg, known in _known.items() if known is self]:
                del _known[cfg]
        if self._choice is not None:
            self._choice.backend.close()
        self.head.close()


def _spent_of(settings: Settings) -> Spent:
    """Return what says how much a run has cost, where that is limited: the arithmetic takes a while to import."""
    if not settings.max_cost:
        return nothing
    from .spending import Spending

    return Spending()


def session(cfg: config.Loader, directory: str | os.PathLike[str]) -> Session:
    """Return this process's session for the settings in `cfg`, cleaning up after dead heads when it is the first.

    Raises SettingsError.
    """
    known = _known.get(cfg)
    if known is not None:
        return known
    with _lock:
        if cfg not in _known:
            settings = settings_of(cfg).settings
            if settings not in _sessions:
                run_directory = Path(directory).absolute()
                _sessions[settings] = Session(settings, run_directory.name, run_directory)
            _known[cfg] = _sessions[settings]
        return _known[cfg]


def begin(
    directory: str | os.PathLike[str],
    target: Target,
    backend: str,
    listener: Callable[[Event], None] | None = None,
) -> ActiveRun:
    """Open the journal of a run in its directory and put the run on this machine's list of runs."""
    path = Path(directory).absolute()
    past = None
    if (path / layout.JOURNAL).exists():
        set_aside(str(path))
        past = past_of(JournalReader(path / layout.JOURNAL).new())
        remember_images(past.images)
    journal = JournalWriter(path / layout.JOURNAL)
    if listener is not None:
        journal.listen(listener)
    run = ActiveRun(path, target.name, journal, past)
    with _lock:
        _runs[os.path.abspath(path)] = run
    for opened in _sessions.values():
        opened.head.lead(run.run_id, path)
        opened.resume(run)
    versions = {"cromulent": __version__, "miniwdl": metadata.version("miniwdl"), "python": platform.python_version()}
    run.record(
        RunStarted(
            SYSTEM.now(),
            run.run_id,
            target.name,
            "workflow" if isinstance(target, Tree.Workflow) else "task",
            target.pos.abspath,
            os.getpid(),
            socket.gethostname(),
            backend,
            versions=versions,
        )
    )
    register(path)
    return run


def find(directory: str | os.PathLike[str]) -> ActiveRun | None:
    """Return the run under way in which the call's directory lies, if this process is its head.

    A download into miniwdl's cache lies in no run; it belongs to the only run there is.
    """
    place, above = os.path.abspath(directory), ""
    while place != above:
        if (run := _runs.get(place)) is not None:
            return run
        place, above = os.path.dirname(place), place
    only = list(_runs.values())
    return only[0] if len(only) == 1 else None
