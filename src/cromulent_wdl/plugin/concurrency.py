"""As many calls at once as a cloud has room for, where miniwdl would run one a core of the head.

The `cromulent` command says so in miniwdl's configuration. Under plain `miniwdl run` our plugins are first called when
the pool of threads is there already, so the pool is widened as tasks are handed to it; a pool makes its threads as they
are needed.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from WDL.runtime import config, workflow

__all__ = ["is_open", "widen"]

_widened = 0


def is_open(cfg: config.Loader) -> bool:
    """Whether the user leaves it to us how many calls run at once."""
    legacy = cfg.has_option("scheduler", "call_concurrency") and cfg.get_int("scheduler", "call_concurrency")
    return not cfg["scheduler"].get_int("task_concurrency") and not legacy


def widen(cfg: config.Loader, threads: int) -> None:
    """Have miniwdl's pool grow to so many threads, unless the user has said how many there are to be."""
    global _widened
    if not is_open(cfg):
        return
    if not hasattr(ThreadPoolExecutor(1), "_max_workers") or not hasattr(workflow, "_ThreadPools"):
        logging.getLogger("cromulent").warning("set [scheduler] task_concurrency: few calls run at once otherwise")
        return
    if not _widened:
        _replace(workflow._ThreadPools)
    _widened = max(_widened, threads)


def _replace(pools: Any) -> None:
    original = pools.submit_task

    def submit_task(self: Any, *arguments: Any, **named: Any) -> Future[Any]:
        self._task_pool._max_workers = max(self._task_pool._max_workers, _widened)
        return original(self, *arguments, **named)  # type: ignore[no-any-return]

    pools.submit_task = submit_task
