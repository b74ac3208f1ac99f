"""Journals of runs that never were, for tests of those who read them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from cromulent_wdl.model import (
    CallCached,
    CallEnded,
    CallQueued,
    CallStarted,
    Ending,
    Event,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskImage,
    TaskPlaced,
    TaskStarted,
    TaskWaiting,
    Usage,
)
from cromulent_wdl.runs.index import register
from cromulent_wdl.runs.journal import JournalWriter
from cromulent_wdl.storage import layout

__all__ = ["beginning", "failed_run", "make_run", "run_under_way"]

_GIB = 1 << 30


def beginning(at: float, run_id: str = "20261122_190411_align", pid: int | None = None) -> RunStarted:
    """Return the first event of a run of this process, or of the process `pid` on this machine."""
    versions = {"cromulent": "0.1.0", "miniwdl": "1.16.0"}
    where = (pid or os.getpid(), socket.gethostname())
    return RunStarted(at, run_id, "align", "workflow", "/home/ada/align.wdl", *where, "docker", versions)


def run_under_way(at: float) -> list[Event]:
    """Return what a run has written in which one call is done, one runs, one waits and two are queued."""
    return [
        beginning(at),
        CallQueued(at + 1, "index", "index"),
        CallStarted(at + 1, "index", "index", "call-index"),
        TaskPlaced(at + 1, "index", 1, "docker", "the first engine that answers", 1, 2 * _GIB),
        TaskImage(at + 2, "index", 1, "bwa:0.7.17", "sha256:3a1f"),
        TaskStarted(at + 2, "index", 1, "c0ffee"),
        TaskEnded(at + 8, "index", 1, Ending.OK, 0, usage=Usage(_GIB // 2, 5.5, 6.0, "cgroup")),
        CallEnded(at + 8, "index", Ending.OK),
        *(CallQueued(at + 8, f"align[{number}]", "align") for number in range(3)),
        CallQueued(at + 8, "summary", "summary"),
        CallQueued(at + 9, "summary.count", "count"),
        CallCached(at + 9, "summary.count", "count", "/home/ada/20261121_120000_align/call-summary/call-count"),
        CallStarted(at + 10, "align[0]", "align", "call-align-0"),
        TaskPlaced(at + 10, "align[0]", 1, "docker", "the first engine that answers", 2, 4 * _GIB),
        TaskStarted(at + 11, "align[0]", 1, "c1ffee"),
        CallStarted(at + 10, "align[1]", "align", "call-align-1"),
        TaskPlaced(at + 10, "align[1]", 1, "docker", "the first engine that answers", 2, 4 * _GIB),
        TaskWaiting(at + 10, "align[1]", 1, "2 cores, which align[0] has"),
    ]


def failed_run(at: float) -> list[Event]:
    """Return what the run of `run_under_way` has written once one call ran out of memory, twice."""
    oom = "ran out of memory (4 GiB)"
    return [
        *run_under_way(at),
        TaskEnded(at + 40, "align[0]", 1, Ending.OOM, 137, oom, Usage(4 * _GIB, 50.0, 29.0, "cgroup")),
        TaskPlaced(at + 40, "align[0]", 2, "docker", "the first engine that answers", 2, 4 * _GIB),
        TaskStarted(at + 41, "align[0]", 2, "c2ffee"),
        TaskEnded(at + 70, "align[0]", 2, Ending.OOM, 137, oom, Usage(4 * _GIB, 50.0, 29.0, "cgroup")),
        CallEnded(at + 70, "align[0]", Ending.OOM, oom),
        TaskEnded(at + 70, "align[1]", 1, Ending.STOPPED),
        CallEnded(at + 70, "align[1]", Ending.STOPPED, "stopped"),
        RunEnded(at + 71, Ending.OOM, f"align[0] {oom}", "align[0]"),
    ]


def make_run(directory: Path, events: list[Event], *, listed: bool = True) -> Path:
    """Make a run directory with such a journal, on the list of runs or not."""
    directory.mkdir(parents=True)
    writer = JournalWriter(directory / layout.JOURNAL)
    for event in events:
        writer.append(event)
    writer.close()
    if listed:
        register(directory)
    return directory
