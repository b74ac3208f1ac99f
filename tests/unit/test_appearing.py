"""Files that another host has written and that a network file system is late to show."""

from __future__ import annotations

from pathlib import Path

import pytest

from cromulent_wdl.backends.fargate.collecting import await_files, await_result
from cromulent_wdl.backends.fargate.wrapper import prepare_attempt
from cromulent_wdl.storage.appearing import appear, missing_of
from tests.fakes.attempts import Bench, run_task
from tests.fakes.clocks import FakeClock


def test_what_is_there_is_not_waited_for(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / "link").symlink_to("nowhere")
    assert appear(tmp_path, clock, 60) and appear(tmp_path / "link", clock, 60)
    assert clock.slept == []


def test_row_33_a_directory_is_listed_before_a_file_of_it_is_called_missing(tmp_path: Path) -> None:
    clock, late = FakeClock(), tmp_path / "late"
    listed: list[object] = []

    def listing(directory: Path) -> None:
        listed.append(directory)
        late.touch()  # as an NFS client sees it only now

    assert missing_of([late, tmp_path], clock, 0, listing) == []
    assert listed == [tmp_path] and clock.slept == []


def test_a_file_that_comes_late(tmp_path: Path) -> None:
    late = tmp_path / "directory/late"
    clock = FakeClock()

    def asleep() -> None:
        if clock.time - start > 20:
            late.parent.mkdir(exist_ok=True)
            late.touch()

    start = clock.time
    clock._asleep = asleep
    assert appear(late, clock, 60)
    assert 20 < clock.time - start < 25


@pytest.mark.parametrize("patience", [0.0, 0.02, 5.0, 60.0])
def test_a_file_that_does_not_come_is_waited_for_no_longer_than_that(tmp_path: Path, patience: float) -> None:
    clock = FakeClock()
    start = clock.time
    assert not appear(tmp_path / "never", clock, patience)
    assert clock.time - start == pytest.approx(patience)
    assert max(clock.slept, default=0.0) <= patience / 29
    assert clock.slept[:2] == pytest.approx([patience / 1200, patience / 600] if patience else [])


def test_row_34_all_that_was_in_the_working_directory_is_awaited(tmp_path: Path) -> None:
    bench = Bench("bash", tmp_path / "run")
    command = """mkdir -p 'a b/c'; touch plain 'a b/c/two
lines' .hidden ..odd 'a b/*' ./-n; ln -s nowhere 'a b/link'; ln -s . loop"""
    task, attempt = bench.attempt(command)
    assert bench.start(attempt).wait(60) == 0
    listing = (attempt.directory / "listing").read_bytes().decode().split("\0")
    assert sorted(listing) == sorted(
        ["plain", "a b", "a b/c", "a b/c/two\nlines", ".hidden", "..odd", "a b/*", "a b/link", "-n", "loop", ""]
    )
    clock = FakeClock(asleep=lambda: (task.work / "plain").touch())
    (task.work / "plain").unlink()
    assert await_files(task, attempt, clock, 60) == () and len(clock.slept) == 1
    (task.work / "a b/link").unlink()
    assert await_files(task, attempt, clock, 60) == ("a b/link",)


def test_inputs_are_not_listed(tmp_path: Path) -> None:
    bench = Bench("dash", tmp_path / "run")
    task, attempt = bench.attempt("mkdir -p _miniwdl_inputs/0 sub/_miniwdl_inputs; touch _miniwdl_inputs/0/x")
    assert bench.start(attempt).wait(60) == 0
    assert (attempt.directory / "listing").read_bytes() == b"sub\0sub/_miniwdl_inputs\0"
    assert await_files(task, attempt, FakeClock(), 60) == ()


def test_a_result_that_comes_late(tmp_path: Path) -> None:
    attempt = prepare_attempt(run_task(tmp_path, "call", "true"), "k")
    clock = FakeClock(asleep=lambda: (attempt.directory / "result").write_text("began 1\nended 2\nexit 0\nend\n"))
    result = await_result(attempt, clock, 60)
    assert result is not None and result.usage.seconds == 1.0
    assert await_result(prepare_attempt(run_task(tmp_path, "b", "true"), "b"), FakeClock(), 60) is None


def test_of_very_many_files_the_first_are_listed(tmp_path: Path) -> None:
    bench = Bench("dash", tmp_path / "run")
    task, attempt = bench.attempt("mkdir many; cd many; seq 10050 | xargs touch")
    assert bench.start(attempt).wait(60) == 0
    assert (attempt.directory / "listing").read_bytes().count(b"\0") == 10_000
    assert await_files(task, attempt, FakeClock(), 0) == ()
