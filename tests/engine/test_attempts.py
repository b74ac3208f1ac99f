"""Attempts on a shared disk in real containers, where the wrapper is the first process."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.backends.fargate.window import FILES
from cromulent_wdl.backends.fargate.wrapper import (
    CLAIM_LOST,
    UNWRITABLE,
    Limits,
    Result,
    read_result,
    revoke,
    take_ended,
)
from cromulent_wdl.backends.heads import Head
from cromulent_wdl.engine import Engine
from cromulent_wdl.model import Task
from cromulent_wdl.units import MIB
from tests.engine.bench import INPUTS, Bench
from tests.engine.shared_disk import Ended, SharedDisk
from tests.engine.test_container_inputs import ODD_NAMES
from tests.fakes.waiting import eventually


@pytest.fixture
def disk(engine: Engine, image: str, head: Head, tmp_path: Path) -> SharedDisk:
    return SharedDisk(engine, image, head.id, tmp_path)


def whole(ended: Ended) -> Result:
    assert ended.result is not None, ended.log
    assert ended.status == ended.result.exit_code
    return ended.result


COMMANDS = {
    "files": "mkdir -p a/b; echo x > a/b/c; ln -s b/c a/link; printf '\\0\\1' > 'it''s binary'; chmod 750 a; exit 0",
    "streams": "echo out; echo err >&2; printf 'no newline'; exit 0",
    "failure": "echo partial > file; exit 42",
    "inputs": "cat INPUTS/x.txt INPUTS/tree/sub/y.txt > both; wc -c < INPUTS/x.txt; ls INPUTS/tree",
    "input by a pipe": "cat INPUTS/x.txt | tr a-z A-Z | tee upper >&2",
    "children": "(sleep 0.1; echo later) & echo sooner; wait",
    "bash": "a=(1 2 3); echo ${a[@]} ${#a[@]}; set -o pipefail; false | true || echo failed",
    "environment": "echo \"$GREETING\"; pwd | sed 's,.*/,,'; echo $0 | sed 's,.*/,,'; cat /dev/stdin | wc -c",
}


def tree(task: Task) -> dict[str, object]:
    """Return all that the task left in its working directory but its inputs, with modes and contents."""
    found: dict[str, object] = {}
    for path in sorted(task.work.rglob("*")):
        name = str(path.relative_to(task.work))
        if not name.startswith("_miniwdl_inputs"):
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found[name] = (path.lstat().st_mode & 0o100111, content)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_a_task_leaves_what_it_leaves_in_a_container_of_this_machine(
    disk: SharedDisk, bench: Bench, tmp_path: Path, name: str
) -> None:
    (tmp_path / "x.txt").write_text("an input\n")
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/sub/y.txt").write_text("another\n")
    inputs, given = (tmp_path / "x.txt", tmp_path / "tree"), {"GREETING": 'it\'s "me"\n& $HOME'}
    here = bench.task(COMMANDS[name].replace("INPUTS", INPUTS), *inputs, environment=given)
    outcome = bench.run(here)
    there = disk.task("", *inputs, environment=given, shell="/bin/bash")
    paths = f"{there.directory}/work/_miniwdl_inputs"
    command = COMMANDS[name].replace("INPUTS/x", f"'{paths}/0'/x").replace("INPUTS/tree", f"'{paths}/1'/tree")
    there.command.write_text(command)
    ended = disk.run(there)
    assert whole(ended).exit_code == outcome.exit_code
    assert there.stdout.read_bytes() == here.stdout.read_bytes()
    assert there.stderr.read_bytes() == here.stderr.read_bytes()
    assert tree(there) == tree(here)


def test_odd_names(disk: SharedDisk, tmp_path: Path) -> None:
    inputs = []
    for number, name in enumerate(ODD_NAMES):
        path = (tmp_path if number % 2 else disk.mount) / "inputs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(number))
        inputs.append(path)
    task = disk.task('for input in _miniwdl_inputs/*/*; do cat "$input"; echo; done', *inputs)
    assert whole(disk.run(task)).exit_code == 0
    assert sorted(map(int, task.stdout.read_text().split())) == list(range(len(ODD_NAMES)))
    assert all(Path(mount.container).read_text() == mount.host.read_text() for mount in task.inputs)


def test_an_input_that_the_image_has_otherwise(disk: SharedDisk) -> None:
    task = disk.task("md5sum < _miniwdl_inputs/0/passwd", Path("/etc/passwd"))
    whole(disk.run(task))
    ours = hashlib.md5(Path("/etc/passwd").read_bytes(), usedforsecurity=False).hexdigest()
    assert task.stdout.read_text().split() == [ours, "-"]


def test_outputs_that_link_to_inputs_lead_there_on_the_head(disk: SharedDisk, tmp_path: Path) -> None:
    there, elsewhere = disk.mount / "data.bam", tmp_path / "host.bam"
    there.write_text("there")
    elsewhere.write_text("elsewhere")
    command = 'ln -s "$PWD/_miniwdl_inputs/0/data.bam" x.bam; cp -P _miniwdl_inputs/1/host.bam y.bam; ln -s x.bam z.bam'
    task = disk.task(command, there, elsewhere)
    whole(disk.run(task))
    assert [(task.work / name).read_text() for name in ("x.bam", "y.bam", "z.bam")] == ["there", "elsewhere", "there"]


def test_an_input_cannot_be_written_to(disk: SharedDisk, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("x")
    task = disk.task("echo y > _miniwdl_inputs/0/x || touch _miniwdl_inputs/0/new", file)
    assert whole(disk.run(task)).exit_code == 0
    assert "Read-only file system" in task.stderr.read_text()
    assert file.read_text() == "x"
    assert whole(disk.run(disk.task(f"touch {FILES}/x"))).exit_code != 0


def test_figures(disk: SharedDisk) -> None:
    command = "awk 'BEGIN { while (length(s) < 20000000) s = s \"0123456789abcdef0123456789abcdef\" s }'"
    result = whole(disk.run(disk.task(command), memory=256 * MIB))
    assert result.usage.seconds is not None
    assert result.usage.disk_peak is not None and result.usage.disk_peak > 0
    if disk.engine.facts.own_cgroups:
        assert result.usage.memory_peak is not None and 20_000_000 < result.usage.memory_peak < 256 * MIB
        assert result.usage.cpu_seconds is not None and 0 < result.usage.cpu_seconds < 60
        assert result.usage.source == "cgroup" and result.oom_kills == 0


def test_a_command_that_is_killed_for_memory(disk: SharedDisk) -> None:
    if not disk.engine.facts.limits_memory:
        pytest.skip("the engine limits no memory here")
    command = "awk 'BEGIN { s = \"x\"; while (1) s = s s }'; echo $?; exit 3"
    result = whole(disk.run(disk.task(command), memory=64 * MIB))
    assert result.exit_code == 3
    assert result.oom_kills == 1 or not disk.engine.facts.own_cgroups


@pytest.mark.parametrize("shell", ["/bin/zsh -e", "zsh"])
def test_a_shell_that_the_image_lacks(disk: SharedDisk, shell: str) -> None:
    assert whole(disk.run(disk.task("exit 0", shell=shell))).no_shell


def test_ecs_stops_it(disk: SharedDisk) -> None:
    task = disk.task("trap 'echo flushed; exit 5' TERM; touch begun; while :; do sleep 0.05; done")
    attempt = disk.prepare(task)
    with disk.started(attempt) as container:
        assert eventually((task.work / "begun").exists)
        disk.engine.signal(container, "SIGTERM")
        result = whole(disk.end(task, attempt, container))
    assert (result.terminated, result.exit_code, task.stdout.read_text()) == (True, 5, "flushed\n")
    assert take_ended(disk.run_directory) == (attempt.key,)


def test_ecs_stops_what_does_not_heed_it(disk: SharedDisk) -> None:
    task = disk.task("trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & touch begun; while :; do sleep 1; done")
    attempt = disk.prepare(task, Limits(stop_timeout=2))
    with disk.started(attempt) as container:
        assert eventually((task.work / "begun").exists)
        disk.engine.signal(container, "SIGTERM")
        result = whole(disk.end(task, attempt, container))
    assert (result.terminated, result.exit_code) == (True, 137)


def test_a_deadline(disk: SharedDisk) -> None:
    task = disk.task("sleep 1000 & setsid sleep 1000 & wait")
    result = whole(disk.run(task, Limits(deadline=1, grace=5)))
    assert (result.deadline, result.terminated, result.exit_code) == (True, False, 143)


def test_a_container_that_is_killed_leaves_no_result(disk: SharedDisk) -> None:
    task = disk.task("touch begun; sleep 1000")
    attempt = disk.prepare(task)
    with disk.started(attempt) as container:
        assert eventually((task.work / "begun").exists)
        disk.engine.signal(container, "SIGKILL")
        ended = disk.end(task, attempt, container)
    assert ended.result is None and ended.status == 137
    assert take_ended(disk.run_directory) == ()


def test_row_36_and_37_a_user_whom_the_run_belongs_to_needs_no_chown(disk: SharedDisk) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give a directory away")
    task = disk.task("echo made > made; ls -ln made", environment={"TOKEN": "secret"})
    attempt = disk.prepare(task)
    for parent, names, files in os.walk(disk.run_directory):
        for name in (".", *names, *files):
            os.chown(os.path.join(parent, name), 1234, 1234)
    with disk.started(attempt, user="1234:1234") as container:
        assert whole(disk.end(task, attempt, container)).exit_code == 0
    assert task.stdout.read_text().split()[2:4] == ["1234", "1234"]
    assert (task.work / "made").stat().st_uid == 1234


def test_nothing_of_it_goes_on_when_the_result_is_written(disk: SharedDisk) -> None:
    command = (
        "(trap '' TERM HUP; while :; do echo x >> more; sleep 0.01; done) & while [ ! -s more ]; do sleep 0.01; done"
    )
    task = disk.task(command)
    attempt = disk.prepare(task)
    with disk.started(attempt) as container:
        assert eventually(lambda: read_result(attempt))
        size = (task.work / "more").stat().st_size
        whole(disk.end(task, attempt, container))
        assert (task.work / "more").stat().st_size == size


def test_of_two_containers_one_runs(disk: SharedDisk) -> None:
    task = disk.task("echo ran >> ran; sleep 0.2")
    attempt = disk.prepare(task)
    with disk.started(attempt) as first, disk.started(attempt) as second:
        assert sorted(map(disk.engine.wait, (first, second))) == [0, CLAIM_LOST]
    assert (task.work / "ran").read_text() == "ran\n"


def test_a_revoked_attempt_never_runs(disk: SharedDisk) -> None:
    task = disk.task("touch ran")
    attempt = disk.prepare(task)
    assert revoke(attempt) is None
    with disk.started(attempt) as container:
        ended = disk.end(task, attempt, container)
    assert ended.status == CLAIM_LOST and "revoked" in ended.log and not (task.work / "ran").exists()


def test_a_hundred_megabytes(disk: SharedDisk) -> None:
    task = disk.task("head -c 100000000 /dev/zero; echo end >&2")
    whole(disk.run(task))
    assert task.stdout.stat().st_size == 100_000_000 and task.stderr.read_text() == "end\n"
    task.stdout.unlink()


@pytest.fixture
def small_disk(engine: Engine, image: str, head: Head, tmp_path: Path) -> Iterator[SharedDisk]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path], check=True)
    yield SharedDisk(engine, image, head.id, tmp_path)
    subprocess.run(["umount", tmp_path], check=True)


def test_a_full_disk_leaves_the_exit_status_to_ecs(small_disk: SharedDisk) -> None:
    task = small_disk.task("dd if=/dev/zero of=big bs=1k 2> /dev/null; exit 4")
    ended = small_disk.run(task)
    assert ended.status == 4 and ended.result is None
    assert "could not be written" in ended.log


def test_a_disk_that_is_not_there(disk: SharedDisk, tmp_path: Path) -> None:
    task = disk.task("true")
    attempt = disk.prepare(task)
    script = attempt.script.read_text()
    attempt.script.unlink()
    attempt.directory.rmdir()
    attempt.directory.parent.mkdir(exist_ok=True)
    stray = attempt.directory.parent / "stray"
    stray.write_text(script)
    moved = type(attempt)(attempt.key, attempt.directory, stray)
    with disk.started(moved) as container:
        ended = disk.end(task, moved, container)
    assert ended.status in UNWRITABLE and "cannot be written" in ended.log
