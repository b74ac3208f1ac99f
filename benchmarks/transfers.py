"""`python -m benchmarks.transfers`: measure how files get to the bucket and back, beside s5cmd on the same endpoint,
print a row a figure, exit with 1 if one is short.

Requests are those that the simulator counts; CPU is the client's, its start included.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .clouds import Lab
from .commands import STANDINS, home
from .environments import CACHE, cromulent, peer
from .figures import Row, as_json, table
from .measure import MEMORY, Command, Sample, once

LIMIT = 1.2
MEBIBYTE = 1 << 20


def main() -> int:
    """Measure, and return the exit status."""
    options = _arguments().parse_args()
    many, large = (200, 100) if options.quick else (5000, 2000)
    rows: list[Row] = []
    with _endpoint() as here, tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        for what, directory in _files(Path(place), many, large):
            rows += _measured(here, what, directory)
    print(f"\n{table(rows)}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"quick": options.quick, "rows": as_json(rows)}, indent=2))
    print(f"\nAlso in {options.json}")
    return 1 if any(row.verdict == "short" for row in rows) else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transfers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller work: to see that everything works")
    parser.add_argument(
        "--json", type=Path, default=CACHE / "transfers.json", metavar="FILE", help="where to write rows"
    )
    return parser


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
        (our, our_requests), (their, their_requests) = (_once(here, f"{what} {way}", each) for each in commands)
        rows += [
            Row(1, f"{what} {way}: requests", "", our_requests, "s5cmd", their_requests, LIMIT),
            Row(2, f"{what} {way}: client's CPU", "s", our.cpu, "s5cmd", their.cpu, LIMIT),
            Row(3, f"{what} {way}: time", "s", our.wall, "s5cmd", their.wall),
        ]
    return rows


def _once(here: Lab, name: str, arguments: list[str]) -> tuple[Sample, float]:
    here.reset()
    sample = once(Command(name, arguments, home() | dict(here.simulation.environment)))
    return sample, float(here.requests("s3:"))


if __name__ == "__main__":
    sys.exit(main())
