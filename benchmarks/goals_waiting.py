"""Goal 8: two thousand tasks that wait at once; their run directory is in memory, as for goals 3 and 4."""

from __future__ import annotations

from dataclasses import replace

from .commands import WORKFLOWS, miniwdl_run, standin_run, standin_site
from .environments import cromulent, miniwdl
from .figures import Row
from .measure import in_turn
from .scale import Scale

__all__ = ["waiting"]

_MEBIBYTE = 1 << 20


def waiting(scale: Scale) -> list[Row]:
    """Measure memory, the time over the wait itself, and how soon an abort reaches every task."""
    count, wait = scale.size(2000, 200), scale.size(30, 3)
    arguments = [str(WORKFLOWS / "numbers.wdl"), f"count={count}", "-@", str(count)]
    pause = {"STANDIN_WAIT": str(wait)}
    stock = {"PYTHONPATH": standin_site(), "MINIWDL__SCHEDULER__CONTAINER_BACKEND": "standin"}
    ours = replace(standin_run("ours", cromulent(), arguments, pause), in_memory=True)
    peer = replace(miniwdl_run("stock", miniwdl(), arguments, pause | stock), in_memory=True)
    aborted = standin_run(
        "ours, aborted", cromulent(), arguments, {"STANDIN_WAIT": "600", "STANDIN_ABORT_AT": str(count)}
    )
    aborted = replace(aborted, status=None, shows="", in_memory=True)
    found = in_turn([ours, peer, aborted], scale.times, warm=False)
    reached = found[aborted.name].noted("reached")
    missed = "" if reached == count else f"only {reached:.0f} of {count} tasks were reached"
    over, peer_over = found[ours.name].wall - wait, found[peer.name].wall - wait
    return [
        Row(8, f"memory of {count} waiting tasks", "MiB", found[ours.name].memory / _MEBIBYTE, limit=250),
        Row(8, f"abort of {count} waiting tasks", "s", found[aborted.name].noted("seconds"), limit=2, missing=missed),
        Row(8, f"{count} tasks that wait {wait} s, the rest", "s", over, "stock miniwdl", peer_over, 0.55),
    ]
