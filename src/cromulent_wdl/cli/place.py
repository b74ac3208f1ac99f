"""Decides before a run starts where its tasks will run, asking where that is not ours to decide."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from WDL import Tree
from WDL.runtime.config import Loader

from ..errors import UsageError
from ..plugin import session
from ..plugin.settings import SECTION
from . import ui
from .source import tasks_of

__all__ = ["Place", "place"]

_IMAGE_KEYS = ("docker", "container", "inlineDockerfile")


class Place(msgspec.Struct, frozen=True):
    """Where tasks will run, and the process's session there."""

    session: session.Session
    description: str
    why: str

    def close(self) -> None:
        """Leave: nothing runs there any more."""
        self.session.close()


def place(cfg: Loader, target: Tree.Workflow | Tree.Task) -> Place:
    """Open the session of the run, with the backend that the settings choose.

    Tasks that name an image run without a container only when that was asked for, or is confirmed on a
    terminal. Raises UsageError otherwise, and EngineUnavailable.
    """
    here = _open(cfg)
    if here.session.choice.backend.name != "process" or _settled(here):
        return here
    named = sorted({task.name for task in tasks_of(target) if any(key in task.runtime for key in _IMAGE_KEYS)})
    if not named:
        return here
    here.close()
    some = ", ".join(named[:3]) + (" …" if len(named) > 3 else "")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"no container engine answers here, and {_name_one(len(named))} an image ({some})",
            hint="install or start Docker or Podman; or, where the tools are on this machine, add --backend process",
        )
    question = f"No container engine answers here. Run {some} without a container?"
    if not ui.confirm(question):
        raise UsageError("nothing was started", hint="install or start Docker or Podman")
    cfg.override({SECTION: {"process_for_images": True}})
    return _open(cfg)


def _name_one(tasks: int) -> str:
    return "1 task names" if tasks == 1 else f"{tasks} tasks name"


def _settled(here: Place) -> bool:
    settings = here.session.settings
    return settings.backend == "process" or settings.process_for_images


def _open(cfg: Loader) -> Place:
    opened = session.session(cfg, Path.cwd())
    choice = opened.choice
    return Place(opened, choice.backend.description, choice.why)
