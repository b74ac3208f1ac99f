"""`python -m benchmarks.transfers`: measure how files get to the bucket and back, beside s5cmd on the same endpoint,
print a row a figure, exit with 1 if one is short.

Requests are those that the simulator counts; bytes are all that loopback carries meanwhile, both ways, so nothing else
should use it; CPU is the client's, its start included.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .clouds import Lab
from .commands import STANDINS, home
from .environments import cromulent, peer
from .figures import Row
from .measure import MEMORY, Command, Sample, once
from .runner import Goals, run
from .scale import Scale

LIMIT = 1.2
MEBIBYTE = 1 << 20


def both_ways(scale: Scale) -> list[Row]:
    """Measure small files and a large one, there and back."""
    rows: list[Row] = []
    with _endpoint() as here, tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        for what, directory in _files(Path(place), scale.size(5000, 200), scale.size(2000, 100)):
            rows += _measured(here, what, directory)
    return rows


@contextmanager
def _endpoint() -> Iterator[Lab]:
    simulation = Simulation.start(Settings())
    try:
        yield Lab(simulation)
    finally:
        simulation.close()


def _files(place: Path, many: int, large: int) -> Iterator[tuple[str, Path]]:
    """Make the files when they are wanted; yield what they are, and their directory."""
    small = place / "small"
    small.mkdir()
    for number in range(many):
        (small / f"{number:05}").write_bytes(os.urandom(2000))
    yield f"{many} files of 2 kB", small
    big = place / "big"
    big.mkdir()
    with (big / "file").open("wb") as file:
        for _ in range(large):
            file.write(os.urandom(MEBIBYTE))
    yield f"a file of {large} MiB", big


def _measured(here: Lab, what: str, directory: Path) -> list[Row]:
    program = peer("s5cmd").program("s5cmd")
    ours = [cromulent().program("python"), str(STANDINS / "transfer.py")]
    s5cmd = [program, "--endpoint-url", here.simulation.address, "cp"]
    buckets = [f"{directory.name}-{name}" for name in ("ours", "s5cmd")]
    for bucket in buckets:
        here.client("s3").create_bucket(Bucket=bucket)
    mine, theirs = (f"{directory}-{name}" for name in ("ours", "s5cmd"))
    pairs = {
        "up": ([*ours, "up", str(directory), buckets[0]], [*s5cmd, f"{directory}/", f"s3://{buckets[1]}/"]),
        "down": ([*ours, "down", mine, buckets[0]], [*s5cmd, f"s3://{buckets[1]}/*", f"{theirs}/"]),
    }
    rows = []
    for way, commands in pairs.items():
        (our, our_requests, our_bytes), (their, their_requests, their_bytes) = (
            _once(here, f"{what} {way}", each) for each in commands
        )
        rows += [
            Row(1, f"{what} {way}: requests", "", our_requests, "s5cmd", their_requests, LIMIT),
            Row(2, f"{what} {way}: client's CPU", "s", our.cpu, "s5cmd", their.cpu, LIMIT),
            Row(3, f"{what} {way}: bytes", "MB", our_bytes / 1e6, "s5cmd", their_bytes / 1e6, LIMIT),
            Row(4, f"{what} {way}: time", "s", our.wall, "s5cmd", their.wall),
        ]
    return rows


def _once(here: Lab, name: str, arguments: list[str]) -> tuple[Sample, float, float]:
    here.reset()
    before = _carried()
    sample = once(Command(name, arguments, home() | dict(here.simulation.environment)))
    return sample, float(here.requests("s3:")), float(_carried() - before)


def _carried() -> int:
    """Return how many bytes loopback has carried."""
    return psutil.net_io_counters(pernic=True)["lo"].bytes_recv


GOALS: Goals = {1: ("files to the bucket and back", both_ways)}


if __name__ == "__main__":
    sys.exit(run("transfers", __doc__, GOALS))
