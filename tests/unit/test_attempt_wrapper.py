"""The wrapper of an attempt on a shared disk, in the shells that images have."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from cromulent_wdl.backends.fargate.collecting import await_files
from cromulent_wdl.backends.fargate.wrapper import (
    CLAIM_LOST,
    REVOKED,
    Attempt,
    Limits,
    claimed_by,
    find_attempt,
    prepare_attempt,
    read_result,
    refusal,
    revoke,
    take_ended,
)
from tests.fakes.attempts import SHELLS, Bench, run_task
from tests.fakes.clocks import FakeClock
from tests.fakes.process_tasks import retry_of
from tests.fakes.waiting import eventually


@pytest.fixture(params=SHELLS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(request.param, tmp_path / "it's a run")


def test_a_command_and_its_streams(bench: Bench) -> None:
    task, result = bench.end("echo out; echo err >&2; pwd > here; exit 7")
    assert (result.exit_code, result.deadline, result.terminated, result.no_shell) == (7, False, False, False)
    assert task.stdout.read_text() == "out\n"
    assert task.stderr.read_text() == "err\n"
    assert (task.work / "here").read_text().strip() == str(task.work)
    assert result.usage.seconds is not None and result.usage.seconds < 60


def test_row_18_the_model_of_the_processor_is_written_down(bench: Bench) -> None:
    _, result = bench.end("true")
    told = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")]  # fmt: skip
    assert result.cpu_model == (told[0] if told else "")  # not all machines say


def test_the_end_is_told_once_in_one_directory(bench: Bench) -> None:
    bench.end("true", key="first")
    bench.end("true", key="second")
    assert set(take_ended(bench.run)) == {"first", "second"}
    assert take_ended(bench.run) == ()
    assert read_result(find_attempt(bench.run, "first")) is not None


@pytest.mark.parametrize("left", ["", "exit 0\n", "end\n", "began 1\nend\n", "exit x\nend\n"])
def test_what_is_no_whole_result_is_none(tmp_path: Path, left: str) -> None:
    attempt = find_attempt(tmp_path, "k")
    attempt.directory.mkdir(parents=True)
    (attempt.directory / "result").write_text(left)
    assert read_result(attempt) is None


def test_nothing_has_ended_where_nothing_was_started(tmp_path: Path) -> None:
    assert take_ended(tmp_path) == ()
    assert read_result(find_attempt(tmp_path, "k")) is None
    assert claimed_by(find_attempt(tmp_path, "k")) is None


def test_options_of_the_shell(bench: Bench) -> None:
    assert bench.end("echo $UNSET; exit 0", key="1")[1].exit_code == 0
    assert bench.end("echo $UNSET; exit 0", key="2", shell="/bin/sh -u")[1].exit_code != 0


def test_the_environment_is_given_and_does_not_stay_on_the_disk(bench: Bench) -> None:
    secret = 'it\'s $HOME "secret"\nof `two` lines \\'
    given = {"TOKEN": secret, "here": "not the wrapper's", "call": "nor this", "stdout": "nor that"}
    task, attempt = bench.attempt('printf %s "$TOKEN" > token; printf %s "$here$call" > names', environment=given)
    held = attempt.directory / "environment"
    assert held.stat().st_mode & 0o777 == 0o600
    assert bench.start(attempt).wait(60) == 0
    assert (task.work / "token").read_text() == secret
    assert (task.work / "names").read_text() == "not the wrapper'snor this"
    assert held.read_bytes() == b""


def test_of_copies_that_race_for_an_attempt_one_runs(bench: Bench) -> None:
    _, attempt = bench.attempt("echo ran >> ran; sleep 0.05")
    copies = [bench.start(attempt, {"ECS_CONTAINER_METADATA_URI_V4": f"http://a/v4/task-{n}"}) for n in range(8)]
    statuses = [copy.wait(60) for copy in copies]
    assert sorted(statuses) == [0, *[CLAIM_LOST] * 7]
    assert (bench.run / "call-k/work/ran").read_text() == "ran\n"
    assert claimed_by(attempt) == f"task-{statuses.index(0)}"
    assert take_ended(bench.run) == ("k",)


def test_a_revoked_attempt_never_runs(bench: Bench) -> None:
    task, attempt = bench.attempt("touch ran", environment={"TOKEN": "secret"})
    assert revoke(attempt) is None
    assert revoke(attempt) is None
    assert claimed_by(attempt) == REVOKED
    assert bench.start(attempt).wait(60) == CLAIM_LOST and b"revoked" in bench.said
    assert list(task.work.iterdir()) == []
    assert read_result(attempt) is None and take_ended(bench.run) == ()
    assert not (attempt.directory / "environment").exists()


def test_an_attempt_that_has_begun_is_not_revoked(bench: Bench) -> None:
    _, attempt = bench.attempt("true")
    assert bench.start(attempt, {"ECS_CONTAINER_METADATA_URI_V4": "http://a/v4/abc-1"}).wait(60) == 0
    assert revoke(attempt) == "abc-1"
    assert read_result(attempt) is not None


def test_an_attempt_that_nobody_can_reach_stops_itself_when_it_is_revoked(bench: Bench) -> None:
    task, attempt = bench.attempt("touch begun; exec sleep 1000", Limits(look=1))
    process = bench.start(attempt)
    assert eventually((task.work / "begun").exists)
    assert revoke(attempt) == "unknown" == claimed_by(attempt)
    assert process.wait(60) == 143
    result = read_result(attempt)
    assert result is not None and result.revoked and not result.terminated


def test_without_its_directory_nothing_runs(bench: Bench) -> None:
    _, attempt = bench.attempt("true")
    words = bench.words(attempt)
    script = attempt.script.read_text()
    shutil.rmtree(attempt.directory)
    process = subprocess.run([*words[:-1], "-c", script], capture_output=True, check=False)
    assert process.returncode == 74 and b"cannot be written" in process.stderr


@pytest.mark.parametrize("missing", ["/bin/nosuchshell", "nosuchshell -e"])
def test_a_shell_that_is_missing(bench: Bench, missing: str) -> None:
    task, result = bench.end("exit 0", shell=missing)
    assert result.no_shell and result.exit_code == 127
    clock = FakeClock()
    assert await_files(task, find_attempt(bench.run, "k"), clock, 60) == () and clock.slept == []


def test_a_command_that_ends_with_127_has_its_shell(bench: Bench) -> None:
    assert not bench.end("exit 127")[1].no_shell


def test_a_deadline_asks_and_then_insists(bench: Bench) -> None:
    task, result = bench.end("trap 'echo asked' TERM; while :; do sleep 0.1; done", Limits(deadline=2, grace=1))
    assert result.deadline and not result.terminated
    assert result.exit_code == 137
    assert "asked\n" in task.stdout.read_text()


def test_a_command_may_heed_its_deadline(bench: Bench) -> None:
    _, result = bench.end("trap 'exit 3' TERM; while :; do sleep 0.1; done", Limits(deadline=2, grace=30))
    assert result.deadline and result.exit_code == 3


def test_a_deadline_that_is_not_reached_ends_nothing_and_leaves_nothing(bench: Bench) -> None:
    task, attempt = bench.attempt("echo done", Limits(deadline=3600.5))
    held = subprocess.run(
        bench.words(attempt), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=True
    )
    result = read_result(attempt)  # and nobody holds the container's streams open: the pipe has ended
    assert result is not None and result.exit_code == 0 and not result.deadline
    assert task.stdout.read_text() == "done\n" and held.stdout == b""


def test_sigterm_is_passed_on_and_the_end_written_down(bench: Bench) -> None:
    task, attempt = bench.attempt("trap 'echo flushed; exit 9' TERM; touch begun; while :; do sleep 0.05; done")
    process = bench.start(attempt)
    assert eventually((task.work / "begun").exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 9
    result = read_result(attempt)
    assert result is not None and result.terminated and result.exit_code == 9
    assert task.stdout.read_text() == "flushed\n"
    assert take_ended(bench.run) == ("k",)


def test_what_was_asked_to_end_before_it_could_hear_that_does_not_begin(bench: Bench) -> None:
    task, attempt = bench.attempt("touch begun")
    (attempt.directory / "stopping").touch()
    assert bench.start(attempt).wait(60) == 143
    assert not (task.work / "begun").exists()


def test_sigterm_reaches_what_the_command_started(bench: Bench) -> None:
    task, attempt = bench.attempt("sh -c 'sleep 3600 & touch ../work/begun; wait'; echo over")
    process = bench.start(attempt)
    assert eventually((task.work / "begun").exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    result = read_result(attempt)
    assert result is not None and result.terminated and result.exit_code == 143


def test_a_command_that_ignores_sigterm_is_killed_before_ecs_does_it(bench: Bench) -> None:
    limits = Limits(stop_timeout=2)
    assert limits.notice == 1.0
    task, attempt = bench.attempt("trap '' TERM; touch begun; while :; do sleep 0.05; done", limits)
    process = bench.start(attempt)
    assert eventually((task.work / "begun").exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 137
    result = read_result(attempt)
    assert result is not None and result.terminated


def test_a_killed_wrapper_leaves_no_result(bench: Bench) -> None:
    task, attempt = bench.attempt("touch begun; sleep 5", Limits(look=1))
    process = bench.start(attempt)
    assert eventually((task.work / "begun").exists)
    process.kill()
    process.wait(60)
    assert read_result(attempt) is None and take_ended(bench.run) == ()
    assert claimed_by(attempt) == "unknown"
    assert eventually(lambda: not running_of(attempt))


def running_of(attempt: Attempt) -> list[int]:
    """Return the processes of an attempt's wrapper."""
    script = str(attempt.script)
    return [each.pid for each in psutil.process_iter(["cmdline"]) if script in (each.info["cmdline"] or ())]


def test_a_command_killed_by_a_signal(bench: Bench) -> None:
    assert bench.end("kill -9 $$")[1].exit_code == 137


def test_what_a_command_leaves_running_does_not_hold_it_up(bench: Bench) -> None:
    started = time.monotonic()
    task, attempt = bench.attempt("sleep 30 & echo $! > left; echo done")
    try:
        assert bench.start(attempt).wait(60) == 0
        assert time.monotonic() - started < 20
    finally:
        os.kill(int((task.work / "left").read_text()), signal.SIGKILL)


def test_row_45_no_program_is_needed(tmp_path: Path, bench: Bench) -> None:
    _, attempt = bench.attempt("echo out", Limits(deadline=60))
    process = bench.start(attempt, {"PATH": "/nowhere"})
    assert process.wait(60) == 0
    result = read_result(attempt)
    assert result is not None
    assert result.usage.disk_peak is None or bench.shell == "busybox"  # which is its own df


_DF = """#!/bin/sh
[ "$*" = '-Pk /' ] && echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'
read -r used < "$LEVEL" && echo "overlay 20961280 $used 1000 1% /"
"""


def test_the_most_of_the_disk_that_was_in_use(bench: Bench, tmp_path: Path) -> None:
    level, df = tmp_path / "level", tmp_path / "bin/df"
    level.write_text("900\n")
    df.parent.mkdir()
    df.write_text(_DF)
    df.chmod(0o755)
    seen = shlex.quote(str(find_attempt(bench.run, "k").directory / "disk"))
    command = f'until [ -s {seen} ]; do sleep 0.02; done; echo 300 > "$LEVEL"'
    _, attempt = bench.attempt(command, Limits(look=1))
    environment = {"PATH": f"{df.parent}:/usr/bin:/bin", "LEVEL": str(level)}
    assert bench.start(attempt, environment).wait(60) == 0
    result = read_result(attempt)
    assert result is not None and result.usage.disk_peak is not None
    assert result.usage.disk_peak == 900 * 1024 or bench.shell == "busybox"  # which prefers its own df to ours


def test_a_retry_finds_its_directory_under_the_first_ones_name(bench: Bench) -> None:
    first = run_task(bench.run, "call", "echo one > file; exit 1")
    attempt = prepare_attempt(first, "1")
    assert bench.start(attempt).wait(60) == 1
    second = retry_of(first)
    second.command.write_text("cat > /dev/null; ls > listing; pwd")
    for stream in (second.stdout, second.stderr):
        stream.touch()
    assert bench.start(prepare_attempt(second, "2")).wait(60) == 0
    assert second.stdout.read_text() == f"{first.directory}/work\n"
    assert (first.directory / "work1/file").read_text() == "one\n"
    assert (second.work / "listing").read_text() == "listing\n"


def test_a_hundred_megabytes(bench: Bench) -> None:
    task, _ = bench.end("head -c 100000000 /dev/zero; echo end >&2")
    assert task.stdout.stat().st_size == 100_000_000
    task.stdout.unlink()


def test_a_key_is_used_once(tmp_path: Path) -> None:
    task = run_task(tmp_path, "call", "true")
    prepare_attempt(task, "k")
    with pytest.raises(FileExistsError):
        prepare_attempt(task, "k")


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "a b", ".hidden", "x" * 201])
def test_keys_that_are_no_names(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        find_attempt(tmp_path, key)


def test_what_a_task_would_not_see_is_refused(tmp_path: Path) -> None:
    task = run_task(tmp_path / "cache", "download", "true", run_directory=tmp_path / "run")
    assert str(tmp_path / "cache/download") in str(refusal(task))


def test_what_a_shell_cannot_set_is_refused(tmp_path: Path) -> None:
    assert refusal(run_task(tmp_path, "a", "true", environment={"A": "1"})) is None
    assert "'a.b'" in str(refusal(run_task(tmp_path, "b", "true", environment={"a.b": "1"})))


def test_a_result_that_is_not_whole_is_none(bench: Bench) -> None:
    _, attempt = bench.attempt("true")
    assert bench.start(attempt).wait(60) == 0
    whole = (attempt.directory / "result").read_text()
    for length in range(len(whole)):
        (attempt.directory / "result").write_text(whole[:length])
        assert read_result(attempt) is None
