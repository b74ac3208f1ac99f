"""What a command in a container finds around it: user, environment, network, entrypoint, limits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from cromulent_wdl.engine import Engine
from cromulent_wdl.model import Ending, Resources, TaskImage, TaskStarted, TaskWaiting
from tests.engine.bench import Bench
from tests.engine.conftest import load
from tests.engine.images.archive import image_archive


def test_environment(bench: Bench) -> None:
    values = {"PLAIN": "x", "ODD": "a b\n'\"$c=d", "EMPTY": ""}
    task = bench.task('printf "%s|" "$PLAIN" "$ODD" "${EMPTY-unset}"', environment=values)
    bench.run(task)
    assert task.stdout.read_text() == "x|a b\n'\"$c=d||"


def test_what_an_image_sets(engine: Engine, busybox_layer: bytes, bench: Bench) -> None:
    config = {
        "Entrypoint": ["/bin/false"],
        "Cmd": ["ignored"],
        "Env": ["FROM_IMAGE=kept", "BOTH=image", "PATH=/bin"],
        "WorkingDir": "/etc",
        "Healthcheck": {"Test": ["CMD", "/bin/false"], "Interval": 1_000_000_000},
    }
    load(engine, image_archive(busybox_layer, ["cromulent-tests/opinions:1"], config))
    task = bench.task(
        "pwd; echo $FROM_IMAGE $BOTH", images=("cromulent-tests/opinions:1",), environment={"BOTH": "task"}
    )
    assert bench.run(task).ending is Ending.OK
    assert task.stdout.read_text() == f"{task.container_directory}/work\nkept task\n"


def test_a_user_of_the_image_can_write(engine: Engine, busybox_layer: bytes, bench: Bench) -> None:
    load(engine, image_archive(busybox_layer, ["cromulent-tests/nobody:1"], {"User": "nobody"}))
    task = bench.task("id -u; id -G; mkdir d; echo x > d/f; echo y >&2", images=("cromulent-tests/nobody:1",))
    assert bench.run(task).ending is Ending.OK
    user, groups = task.stdout.read_text().splitlines()
    assert user == "65534"
    assert str(os.getegid()) in groups.split()
    assert (task.work / "d/f").read_text() == "x\n"


def test_the_invoking_user(bench: Bench) -> None:
    task = bench.task("id -u; id -g", as_user=True)
    bench.run(task)
    assert task.stdout.read_text().split() == [str(os.geteuid()), str(os.getegid())]


def test_a_shell_with_options(bench: Bench) -> None:
    outcome = bench.run(bench.task("false; exit 3", shell="/bin/bash -e"))
    assert outcome.exit_code == 1


def test_standard_input_is_empty(bench: Bench) -> None:
    task = bench.task("cat; echo end")
    assert bench.run(task).ending is Ending.OK
    assert task.stdout.read_text() == "end\n"


@pytest.mark.parametrize(("network", "shared"), [("none", False), ("host", True)])
def test_networks(bench: Bench, network: str, shared: bool) -> None:
    task = bench.task("readlink /proc/self/ns/net", network=network)
    assert bench.run(task).ending is Ending.OK
    assert (task.stdout.read_text().strip() == os.readlink("/proc/self/ns/net")) is shared


def capabilities(status: str) -> int:
    """Return the bounding set in the text of `/proc/PID/status`."""
    return int(next(line for line in status.splitlines() if line.startswith("CapBnd")).split()[1], 16)


def test_privileged_has_every_capability(bench: Bench) -> None:
    command = "cat /proc/self/status"
    usual, privileged = bench.task(command), bench.task(command, privileged=True)
    bench.run(usual)
    outcome = bench.run(privileged)
    here = capabilities(Path("/proc/self/status").read_text())
    if outcome.ending is Ending.REFUSED:  # Docker insists on those that this machine itself has not got
        assert "unable to apply caps" in outcome.message and here & (here + 1)
        return
    assert capabilities(usual.stdout.read_text()) != here
    assert capabilities(privileged.stdout.read_text()) == here


def test_limits_reach_the_kernel(bench: Bench) -> None:
    show = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max"
    quota = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us || cat /sys/fs/cgroup/cpu.max"
    needs = Resources(cpu=1, memory=64 << 20, memory_limit=96 << 20)
    task = bench.task(f"({show}; {quota}) 2> /dev/null", resources=needs)
    assert bench.run(task).ending is Ending.OK
    assert task.stdout.read_text().split()[:2] == [str(96 << 20), "100000"]


def test_what_is_measured(bench: Bench) -> None:
    command = "b=$(head -c 30000000 /dev/zero | tr '\\0' x); for i in 1 2 3; do echo ${#b} > /dev/null; done; sleep 0.2"
    usage = bench.run(bench.task(command)).usage
    assert usage.source == "cgroup"
    assert usage.memory_peak is not None and 30_000_000 < usage.memory_peak < 300_000_000
    assert usage.cpu_seconds is not None and 0.01 < usage.cpu_seconds < 20
    assert usage.seconds is not None and 0.2 <= usage.seconds < 60


def test_a_gpu_that_is_not_there_is_done_without(bench: Bench) -> None:
    running = bench.begin(bench.task("true", resources=Resources(gpu=True)))
    assert running.end().ending is Ending.OK
    waiting = running.reach(TaskWaiting)
    assert isinstance(waiting, TaskWaiting)
    assert "without a GPU" in waiting.why


def test_what_is_reported(engine: Engine, bench: Bench) -> None:
    task = replace(bench.task("sleep 0.5"), call="align[2]", run_id="20261122_190411_align")
    running = bench.begin(task)
    started = running.reach(TaskStarted)
    assert isinstance(started, TaskStarted)
    labels = (("cromulent.run", "20261122_190411_align"), ("cromulent.call", "align[2]"))
    assert all(started.where in engine.labelled(*label) for label in labels)
    running.end()
    image = running.reach(TaskImage)
    known = engine.image(bench.image)
    assert isinstance(image, TaskImage) and known is not None
    assert image.digest in (known.id, *(digest.partition("@")[2] for digest in known.digests))
    assert [type(event) for event in running.events] == [TaskImage, TaskStarted]


def test_attempts_have_files_of_their_own(bench: Bench) -> None:
    task = bench.task("echo first; exit 1")
    bench.run(task)
    directory = Path(task.directory)
    (directory / "work2").mkdir()
    for name in ("stdout2.txt", "stderr2.txt"):
        (directory / name).touch()
    task.command.write_text("echo second")
    again = replace(
        task,
        attempt=2,
        work=directory / "work2",
        stdout=directory / "stdout2.txt",
        stderr=directory / "stderr2.txt",
    )
    outcome = bench.run(again)
    assert (outcome.ending, outcome.exit_code) == (Ending.OK, 0)
    assert (task.stdout.read_text(), again.stdout.read_text()) == ("first\n", "second\n")
