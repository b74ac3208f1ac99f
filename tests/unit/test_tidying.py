"""What is removed from a disk, and what the call cache, and runs that go on, keep."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
import pytest
from click.testing import CliRunner, Result

from cromulent_wdl.cli.gc import command
from cromulent_wdl.model.tidied import Tidied
from cromulent_wdl.plugin.cache_entry import Entry
from cromulent_wdl.plugin.tidying import Disk, tidy
from cromulent_wdl.storage.downloaded import is_there
from tests.fakes.journals import failed_run, make_run, run_under_way

OLD, THEN, NEW = 1_000.0, 2_000.0, 3_000.0
"""A time stamp before what is asked for, what is asked for, and one after it."""


@dataclass(frozen=True)
class World:
    root: Path

    def call(self, run: str, name: str, used: float) -> Path:
        """Make a call with a result of 100 bytes that the cache knows; return its output."""
        directory = self.root / "runs" / run / f"call-{name}"
        output = directory / "work" / "out.bin"
        output.parent.mkdir(parents=True)
        output.write_bytes(bytes(100))
        (directory / "out").mkdir()
        (directory / "out" / "f").symlink_to(output)
        (directory / "stderr.txt").write_text("said\n")
        self.entry(directory, {str(directory / "out" / "f"): "seen"}, used)
        return output

    def entry(self, directory: Path, files: dict[str, str], used: float) -> Path:
        file = self.root / "cache" / "cromulent-1" / "task" / "digest" / f"{directory.parent.name}{directory.name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        made = Entry(
            name="task", task_digest="digest", inputs={}, configuration={}, directory=str(directory), outputs={},
            files=files,
        )  # fmt: skip
        file.write_bytes(msgspec.json.encode(made))
        os.utime(file, (used, used))
        return file

    def thing(self, store: str, name: str, used: float) -> Path:
        place = self.root / store / name
        place.mkdir(parents=True)
        (place / "file").write_bytes(bytes(10))
        os.utime(place, (used, used))
        return place

    def tidy(self, *runs: str, remove: bool = True, larger_than: int = 0) -> Tidied:
        disk = Disk(
            tuple(self.root / "runs" / run for run in runs),
            self.root / "cache",
            (self.root / "inputs", self.root / "runs" / ".cromulent" / "inputs"),
        )
        return tidy(disk, THEN, larger_than=larger_than, remove=remove)

    def left(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_old_run_goes_with_the_results_that_nothing_has_used(world: World) -> None:
    world.call("a", "x", OLD)
    kept = world.call("b", "y", OLD)
    before = world.left()
    looked = world.tidy("a", remove=False)
    unchanged = world.left()
    tally = world.tidy("a")

    assert before == unchanged
    assert looked == tally
    assert list(tally.runs) == ["a"] and tally.runs["a"] > 100 and tally.results == 1
    assert not (world.root / "runs" / "a").exists()
    assert kept.exists() and (world.root / "cache/cromulent-1/task/digest/bcall-y.json").exists()


def test_what_the_cache_has_used_since_stays_with_its_call_and_its_texts(world: World) -> None:
    used = world.call("a", "x", NEW)
    world.call("a", "y", OLD)
    (world.root / "runs" / "a" / "journal.jsonl").write_text("{}\n")
    tally = world.tidy("a")

    assert tally.in_part == ("a",) and tally.results == 1
    assert used.exists() and (used.parents[1] / "out" / "f").read_bytes() == bytes(100)
    assert (world.root / "runs" / "a" / "journal.jsonl").exists()
    assert not (world.root / "runs" / "a" / "call-y").exists()


def test_what_links_of_used_results_lead_to_stays_though_its_own_result_goes(world: World) -> None:
    origin = world.call("a", "x", OLD)
    link = world.root / "runs" / "b" / "call-z" / "out" / "f"
    link.parent.mkdir(parents=True)
    link.symlink_to(origin)
    world.entry(link.parents[1], {str(link): "seen"}, NEW)
    tally = world.tidy("a")

    assert link.read_bytes() == bytes(100)
    assert tally.in_part == ("a",) and tally.results == 1
    assert not (world.root / "runs" / "a" / "call-x" / "out").exists()


def test_a_run_that_a_head_leads_is_left_alone(world: World) -> None:
    output = world.call("a", "x", OLD)
    lock = world.root / "runs" / "a" / ".cromulent" / "head"
    lock.parent.mkdir()
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        tally = world.tidy("a")

    assert tally.runs == {}
    assert output.exists()


def test_small_runs_stay_where_large_ones_are_asked_for(world: World) -> None:
    world.call("a", "x", OLD)
    world.call("b", "y", OLD).write_bytes(bytes(10_000))
    tally = world.tidy("a", "b", larger_than=5_000)

    assert list(tally.runs) == ["b"] and tally.results == 1
    assert (world.root / "runs" / "a").exists()


def test_inputs_go_that_nothing_has_used_since_and_what_dead_heads_began(world: World) -> None:
    gone = [world.thing("inputs", "a" * 64, OLD), world.thing("runs/.cromulent/inputs/ab", "ab" * 32, OLD)]
    kept = [world.thing("inputs", "b" * 32, NEW), world.thing("inputs", "c" * 32, OLD)]
    begun = [world.thing("inputs/.parts", "d", OLD), world.thing("inputs/.parts", "e", NEW)]
    assert is_there(kept[1] / "file")  # a run wants it now
    tally = world.tidy()

    assert (tally.inputs, tally.input_bytes) == (2, 20)
    assert [each.exists() for each in (*gone, *kept, *begun)] == [False, False, True, True, False, True]


def test_an_input_that_a_used_result_leads_to_stays(world: World) -> None:
    given = world.thing("inputs", "a" * 64, OLD)
    link = world.root / "runs" / "b" / "call-z" / "out" / "f"
    link.parent.mkdir(parents=True)
    link.symlink_to(given / "file")
    world.entry(link.parents[1], {str(link): "seen"}, NEW)

    assert world.tidy().inputs == 0
    assert link.exists()


def test_gc_here_lists_what_is_over_and_removes_it_once_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("MINIWDL__CALL_CACHE__DIR", str(tmp_path / "calls"))
    over = make_run(tmp_path / "a" / "20261122_190411_align", failed_run(1.0))
    going_on = make_run(tmp_path / "b" / "20261122_190412_align", run_under_way(psutil.Process().create_time() + 1))
    (over / "large").write_bytes(bytes(2_000_000))

    def gc(*arguments: str) -> Result:
        return CliRunner().invoke(command, ["--here", "--older-than", "0s", *arguments], catch_exceptions=False)

    assert "There is nothing to remove." in gc("--yes").stderr  # it is among the last ten
    assert "There is nothing to remove." in gc("--keep-last", "0", "--larger-than", "3 MB", "--yes").stderr
    looked = gc("--keep-last", "0", "--dry-run").stderr.splitlines()
    assert looked[0] == "1 run on this machine: 2 MB" and looked[1].endswith("/a/20261122_190411_align")
    assert over.exists()
    assert gc("--keep-last", "0", "--yes").stderr.endswith("Removed.\n")
    assert not over.exists() and going_on.exists()
