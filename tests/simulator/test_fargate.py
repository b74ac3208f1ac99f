"""Workflows on Fargate: a simulator that runs tasks as processes, our command as a user types it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.simulator.errors import SimulatorFailed
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .cloud import Cloud
from .conftest import _accounts
from .fargate import Lab

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        try:
            simulation = Simulation.start(Settings(data_plane="process"))
        except SimulatorFailed as failed:
            pytest.skip(str(failed))
        try:
            yield simulation
        finally:
            simulation.close()


@pytest.fixture
def lab(processes: Simulation, tmp_path: Path) -> Iterator[Lab]:
    with Cloud.at(processes.address, str(next(_accounts)), "secret") as cloud:
        yield Lab.of(processes, cloud, tmp_path)


def test_md5sum_of_a_file_of_the_host(lab: Lab) -> None:
    file = lab.home / "it's a file.txt"
    file.write_text("ACGT\n")
    ran = lab.run("run", str(EXAMPLES / "md5sum/md5sum.wdl"), f"file={file}", "--dir", str(lab.mount))
    expected = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    assert ran.outputs["md5sum.checksum"] == expected
    assert Path(ran.outputs["md5sum.checksum_file"]).read_text() == f"{expected}  {file.name}\n"
    assert [task["stopCode"] for task in lab.tasks()] == ["EssentialContainerExited"]


WIDE = """
version 1.1
workflow wide {
  input { Int width }
  scatter (i in range(width)) { call one { input: i = i } }
  call sum { input: files = one.file }
  output { Int total = sum.total }
}
task one {
  input { Int i }
  command <<< sleep 0.5; echo said >&2; echo ~{i} > number >>>
  output { File file = "number" }
  runtime { cpu: 1 memory: "1.5 GB" }
}
task sum {
  input { Array[File] files }
  command <<< cat ~{sep(" ", files)} | awk '{ total += $1 } END { print total }' >>>
  output { Int total = read_int(stdout()) }
}
"""


def test_plain_miniwdl_runs_many_calls_at_once(lab: Lab) -> None:
    (lab.mount / "wide.wdl").write_text(WIDE)
    ran = lab.run("run", "--verbose", "--dir", str(lab.mount), "--as-me", "wide.wdl", "width=20", module="WDL")
    assert ran.outputs == {"wide.total": 190}
    assert ran.stderr.count("said") >= 20
    ones = [task for task in lab.tasks() if task["memory"] == "2048"]
    assert max(task["startedAt"] for task in ones[:20]) < min(task["stoppedAt"] for task in ones[:20])
    assert len({task["taskDefinitionArn"] for task in lab.tasks()}) == 1
