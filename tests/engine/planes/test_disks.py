"""Ephemeral storage has the size that the task asks for, where this machine can make disks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cromulent_wdl.backends.aftermath import mounted_below, remove_scratch
from cromulent_wdl.engine import Engine, connect
from cromulent_wdl.simulator.planes.container import container_plane
from cromulent_wdl.simulator.planes.disks import Disk, Disks, probe
from cromulent_wdl.simulator.planes.process import process_plane

from .stage import RealStage, opened, shell

TABLE = Path("/proc/self/mountinfo")
SCRATCH = [{"sourceVolume": "scratch", "containerPath": "/scratch"}]


class MebibyteDisks(Disks):
    """Disks of so many mebibytes as gibibytes are wanted: nobody has to fill twenty."""

    unit = 2**20


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    if probe(tmp_path) is None:
        pytest.skip("only root can mount, and by loop devices")
    return MebibyteDisks()


@pytest.fixture
def processes(tmp_path: Path, disks: Disks) -> Iterator[RealStage]:
    yield from staged(tmp_path, lambda given: process_plane(given), disks)


@pytest.fixture
def containers(tmp_path: Path, disks: Disks, engine: Engine, image: str) -> Iterator[RealStage]:
    yield from staged(tmp_path, lambda given: container_plane(connect(engine.facts.kind), given), disks, image)


def staged(directory: Path, make: Callable[..., object], disks: Disks, image: str = "") -> Iterator[RealStage]:
    opened(directory)
    stage = RealStage(directory, make, f"test-{directory}", disks)  # type: ignore[arg-type]
    stage.image = image or stage.image
    yield stage
    stage.close()
    assert list((directory / "tasks").iterdir()) == []
    assert mounted_below(directory, TABLE) == []


def fill(stage: RealStage, *places: str) -> list[str]:
    """Fill directories of a task that has 24 units of storage, and return which were full."""
    script = "".join(f"dd if=/dev/zero of={each}/full bs=1048576 2> /dev/null || echo {each};" for each in places)
    ended = stage.outcome(
        shell(script, mountPoints=SCRATCH),
        volumes=[{"name": "scratch"}],
        overrides={"ephemeralStorage": {"sizeInGiB": 24}},
    )
    assert ended["stopCode"] == "EssentialContainerExited", ended
    return stage.lines()


@pytest.mark.bubblewrap
def test_a_process_fills_its_disk_wherever_it_writes(processes: RealStage) -> None:
    """Its root directory is on the disk, too: `/./full`."""
    assert fill(processes, "/scratch", "/tmp", "/.") == ["/scratch", "/tmp", "/."]


def test_a_container_fills_its_disk_in_volumes_and_tmp(containers: RealStage) -> None:
    assert fill(containers, "/scratch", "/tmp") == ["/scratch", "/tmp"]


def test_what_is_mounted_in_a_directory_goes_with_it(tmp_path: Path, disks: Disks) -> None:
    directory = tmp_path / "left behind"
    directory.mkdir()
    disk = disks.make(directory, 8)
    (disk.mount / "file").touch()
    assert mounted_below(tmp_path, TABLE) == [str(disk.mount)]

    remove_scratch(directory)
    assert mounted_below(tmp_path, TABLE) == []
    assert not directory.exists()


def test_a_disk_that_cannot_be_made_fails_the_task(tmp_path: Path) -> None:
    class Broken(Disks):
        def make(self, directory: Path, gibibytes: int) -> Disk:
            (directory / "disk").touch()
            return super().make(directory, gibibytes)

    if probe(tmp_path) is None:
        pytest.skip("only root can mount, and by loop devices")
    stage = RealStage(tmp_path, lambda given: process_plane(given), f"test-{tmp_path}", Broken())
    try:
        assert stage.outcome(shell("true"))["stopCode"] == "TaskFailedToStart"
    finally:
        stage.close()
