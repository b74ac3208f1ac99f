"""Every way in which a task in a container can end, each provoked for real."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from cromulent_wdl.engine import Engine
from cromulent_wdl.model import Ending, Resources, TaskStarted
from tests.engine.bench import Bench
from tests.engine.conftest import load
from tests.engine.images.archive import add_file, image_archive

SMALL = Resources(cpu=1, memory=50_000_000, memory_limit=50_000_000)
EAT_MEMORY = "a=x; while :; do a=$a$a; done"


def test_a_command_that_works(bench: Bench) -> None:
    task = bench.task("echo out; echo err >&2; pwd > where")
    outcome = bench.run(task)
    assert (outcome.ending, outcome.exit_code, outcome.message) == (Ending.OK, 0, "")
    assert (task.stdout.read_text(), task.stderr.read_text()) == ("out\n", "err\n")
    assert (task.work / "where").read_text() == f"{task.container_directory}/work\n"


def test_a_command_that_fails(bench: Bench) -> None:
    outcome = bench.run(bench.task("exit 3"))
    assert (outcome.ending, outcome.exit_code) == (Ending.FAILED, 3)
    assert outcome.message == "the command ended with status 3"


def test_a_command_that_is_killed_for_memory(bench: Bench) -> None:
    outcome = bench.run(bench.task(EAT_MEMORY, resources=SMALL))
    assert (outcome.ending, outcome.exit_code) == (Ending.OOM, 137)
    assert "at its limit of 50 MB" in outcome.message
    assert outcome.usage.memory_peak is not None
    assert 40_000_000 < outcome.usage.memory_peak <= 50_000_000


def test_a_child_that_is_killed_for_memory(bench: Bench) -> None:
    outcome = bench.run(bench.task(f"bash -c '{EAT_MEMORY}'; echo went on; exit 5", resources=SMALL))
    assert (outcome.ending, outcome.exit_code) == (Ending.OOM, 5)


def test_a_kill_for_memory_that_the_command_got_over(bench: Bench) -> None:
    outcome = bench.run(bench.task(f"bash -c '{EAT_MEMORY}' || true", resources=SMALL))
    assert outcome.ending is Ending.OK


def test_a_command_that_says_that_the_disk_is_full(bench: Bench) -> None:
    outcome = bench.run(bench.task("dd if=/dev/zero of=/dev/full bs=1k count=1 || exit 4"))
    assert (outcome.ending, outcome.exit_code) == (Ending.DISK_FULL, 4)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_command_that_fills_the_disk_and_says_nothing(bench: Bench, small_disk: Path) -> None:
    work = small_disk / "work"
    work.mkdir()
    outcome = bench.run(bench.task("dd if=/dev/zero of=big bs=1k 2> /dev/null; exit 4", work=work))
    assert (outcome.ending, outcome.exit_code) == (Ending.DISK_FULL, 4)
    assert str(work) in outcome.message


@pytest.mark.parametrize("shell", ["/bin/zsh", "zsh", "/bin/zsh -e"])
def test_a_shell_that_the_image_lacks(bench: Bench, shell: str) -> None:
    outcome = bench.run(bench.task("true", shell=shell))
    assert (outcome.ending, outcome.exit_code) == (Ending.NO_SHELL, None)
    assert outcome.message == f"image {bench.image} has no {shell.split()[0]}"


def test_a_command_that_is_not_found_is_no_missing_shell(bench: Bench) -> None:
    outcome = bench.run(bench.task("nosuchcommand"))
    assert (outcome.ending, outcome.exit_code) == (Ending.FAILED, 127)


def test_an_image_without_any_shell(engine: Engine, bench: Bench) -> None:
    load(engine, image_archive(b"\0" * 10240, ["cromulent-tests/empty:1"]))
    outcome = bench.run(bench.task("true", images=("cromulent-tests/empty:1",)))
    assert outcome.ending is Ending.NO_SHELL
    assert "cromulent-tests/empty:1 has no /bin/sh" in outcome.message


def test_an_image_for_another_processor(engine: Engine, bench: Bench) -> None:
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        add_file(tar, "bin/sh", b"\x7fELF, but of another machine", 0o755)
    load(engine, image_archive(layer.getvalue(), ["cromulent-tests/foreign:1"]))
    outcome = bench.run(bench.task("true", images=("cromulent-tests/foreign:1",)))
    assert outcome.ending is Ending.NO_SHELL
    assert "another kind of processor" in outcome.message


def test_a_mount_that_is_gone(bench: Bench, tmp_path: Path) -> None:
    present = tmp_path / "reads.fq"
    present.touch()
    task = bench.task("true", present)
    present.unlink()
    outcome = bench.run(task)
    assert outcome.ending is Ending.MOUNT
    assert str(present) in outcome.message
    assert not present.exists(), "the engine made a directory in its place"


def test_a_group_that_keeps_the_user_of_the_image_out(engine: Engine, busybox_layer: bytes, bench: Bench) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files to any group")
    load(engine, image_archive(busybox_layer, ["cromulent-tests/nobody:1"], {"User": "nobody"}))
    task = bench.task("true", images=("cromulent-tests/nobody:1",))
    os.chown(task.stdout, -1, 54321)
    outcome = bench.run(task)
    assert outcome.ending is Ending.MOUNT
    assert "may not write ../stdout.txt" in outcome.message


def test_a_container_that_somebody_kills(engine: Engine, bench: Bench) -> None:
    running = bench.begin(bench.task("sleep 60"))
    container = running.reach(TaskStarted)
    assert isinstance(container, TaskStarted)
    with closing(docker.APIClient(engine.facts.address, "1.41")) as api:
        api.kill(container.where)
    outcome = running.end()
    assert (outcome.ending, outcome.exit_code) == (Ending.LOST, None)
    assert "killed from outside" in outcome.message


def test_a_container_that_somebody_removes(engine: Engine, bench: Bench) -> None:
    running = bench.begin(bench.task("sleep 60"))
    container = running.reach(TaskStarted)
    assert isinstance(container, TaskStarted)
    engine.remove(container.where)
    outcome = running.end()
    assert outcome.ending is Ending.LOST


def test_a_network_that_does_not_exist(bench: Bench) -> None:
    outcome = bench.run(bench.task("true", network="nosuchnetwork"))
    assert outcome.ending is Ending.REFUSED
    assert "nosuchnetwork" in outcome.message
