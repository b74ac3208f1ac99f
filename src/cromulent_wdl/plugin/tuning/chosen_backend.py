"""Loads the container backend that is chosen, and not all that there are to choose from.

Those that miniwdl brings along import the docker library, which a run of plain processes has no use for. What may be
told apart: a broken plugin that was not chosen does no harm.
"""

from __future__ import annotations

import logging
from types import ModuleType
from typing import TYPE_CHECKING

from .replacement import Replacement

if TYPE_CHECKING:
    from WDL.runtime.config import Loader
    from WDL.runtime.task_container import TaskContainer

__all__ = ["BACKEND"]


def _replace(containers: ModuleType) -> None:
    known: dict[str, type[TaskContainer]] = containers._backends
    base: type[TaskContainer] = containers.TaskContainer

    def new(cfg: Loader, logger: logging.Logger, run_id: str, host_dir: str) -> TaskContainer:
        """Make a task's container by the configured backend, initialised when it is first used."""
        chosen = cfg["scheduler"]["container_backend"]
        with containers._backends_lock:
            if chosen not in known:
                for enabled, plugin in containers.config.load_all_plugins(cfg, "container_backend"):
                    if enabled and plugin.name == chosen:
                        known[chosen] = plugin.load()
            backend = known[chosen]
            if not getattr(backend, "_global_init", False):
                backend.global_init(cfg, logger)
                setattr(backend, "_global_init", True)  # noqa: B010 - known to miniwdl alone
            made = backend(cfg, run_id, host_dir)
            assert isinstance(made, base)
            return made

    containers.new = new  # type: ignore[attr-defined]


BACKEND = Replacement("backend", "WDL.runtime.task_container", {"new": "4a8c984043399c005ad5"}, _replace)
