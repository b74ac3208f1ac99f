"""miniwdl's workflow and task coroutines, by which a run's journal learns of calls.

miniwdl starts one for every workflow and task, hands it inputs, command and outputs in turn, and throws into it
what went wrong. Ours change nothing. Where the configuration has another backend they only pass things on.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from WDL import Tree
from WDL.runtime import config

from ..clock import SYSTEM
from ..config.task_secrets import secrets_of_task
from ..errors import CromulentError
from ..model import CallEnded, CallStarted, Ending
from . import session, tuning
from .concurrency import widen
from .container import CromulentContainer
from .endings import ending_of
from .garbage import spare_what_stays
from .listener import listen
from .settings import chosen, settings_of

__all__ = ["task", "workflow"]

Exchange = dict[str, Any]
Coroutine = Generator[Exchange, Exchange, None]


def workflow(
    cfg: config.Loader,
    logger: logging.Logger,
    run_id_stack: list[str],
    run_dir: str,
    workflow: Tree.Workflow,
    **received: Any,
) -> Coroutine:
    """Begin and end the journal of a workflow that nobody has begun one for."""
    if not chosen(cfg) or len(run_id_stack) > 1 or session.find(run_dir) is not None:
        received = yield received
        yield received
        return
    run = _begin(cfg, run_dir, workflow)
    _make_room(cfg, run_dir)
    try:
        received = yield received
        yield received
    except GeneratorExit:  # miniwdl closes the coroutine where all went well
        run.end(Ending.OK)
    except Exception as error:
        run.end(ending_of(error), str(error))
        raise


def task(
    cfg: config.Loader,
    logger: logging.Logger,
    run_id_stack: list[str],
    run_dir: str,
    task: Tree.Task,
    **received: Any,
) -> Coroutine:
    """Journal the life of a call, and tell its container whether the WDL asked for an image."""
    if not chosen(cfg):
        received = yield received
        received = yield received
        yield received
        return
    call = _Call(cfg, run_dir, task)
    named = _names_image(task, received["inputs"])
    container = None
    try:
        received = yield received
        container = received["container"]
        if isinstance(container, CromulentContainer):
            container.names_image = named
            container.secrets = secrets_of_task(session.session(cfg, run_dir).settings.task_secrets, task.name)
        received = yield received
        yield received
    except GeneratorExit:  # miniwdl closes the coroutine where all went well
        call.ended(Ending.OK)
    except Exception as error:
        outcome = container.outcome if isinstance(container, CromulentContainer) else None
        message = outcome.message if outcome and outcome.message else str(error)
        call.ended(ending_of(error, outcome), message)
        raise


class _Call:
    """A call in its run's journal; a lone task is a run of its own."""

    def __init__(self, cfg: config.Loader, run_dir: str, task: Tree.Task) -> None:
        run = session.find(run_dir)
        self._own = run is None
        self._run = run or _begin(cfg, run_dir, task)
        self._name = self._run.call_path(run_dir)
        self._run.record(CallStarted(SYSTEM.now(), self._name, task.name, self._run.relative(run_dir)))

    def ended(self, ending: Ending, message: str = "") -> None:
        self._run.record(CallEnded(SYSTEM.now(), self._name, ending, message))
        if self._own:
            self._run.end(ending, message, "" if ending is Ending.OK else self._name)


def _begin(cfg: config.Loader, run_dir: str, target: Tree.Workflow | Tree.Task) -> session.ActiveRun:
    listen()
    return session.begin(run_dir, target, settings_of(cfg).settings.backend)


def _make_room(cfg: config.Loader, run_dir: str) -> None:
    """Let as many calls run at once as the backend has room for, and Python's collector not go through all of them."""
    tuning.install(tuning.PLAIN)
    spare_what_stays()
    opened = session.session(cfg, run_dir)
    with suppress(CromulentError):  # there is none; the first task will say so
        if opened.choice.backend.elastic:
            widen(cfg, opened.settings.task_concurrency)


_IMAGE_KEYS = ("docker", "container", "inlineDockerfile")


def _names_image(task: Tree.Task, inputs: Any) -> bool:
    overridden = (binding.name.partition(".") for binding in inputs)
    return any(key in task.runtime for key in _IMAGE_KEYS) or any(
        section in ("runtime", "requirements") and key in _IMAGE_KEYS for section, _, key in overridden
    )
