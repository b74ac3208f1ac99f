"""What a plan says of each call, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from WDL import CLI

from cromulent_wdl.cli.document import read_document
from cromulent_wdl.cli.planning import Row, World, plan
from cromulent_wdl.config import Settings
from cromulent_wdl.engine.registries import Manifest
from cromulent_wdl.errors import ImageNotFound
from cromulent_wdl.pricing.card import shipped

WDL = """version 1.1
task small { command <<< >>> output { Int n = 1 } }
task sized {
  input { Int cores = 2  File? f }
  Int gigabytes = cores * 4
  command <<< >>>
  runtime { cpu: cores  memory: "~{gigabytes} GiB"  docker: "lab/sized:1" }
}
task data { input { File f } command <<< >>> runtime { memory: ceil(size(f))  docker: "lab/sized:1" } }
task huge { command <<< >>> runtime { cpu: 64  docker: "lab/sized:1" } }
task lost { command <<< >>> runtime { docker: "lab/lost:1" } }
task gpu { command <<< >>> runtime { gpu: true  docker: "lab/sized:1" } }
task old { command <<< >>> runtime { docker: "lab/arm:1"  preemptible: 0 } }
workflow inner { call sized { input: cores = 4 } }
workflow w {
  input { File f }
  call small
  scatter (i in range(3)) { call sized }
  if (small.n > 1) { call sized as other { input: cores = small.n } }
  call data { input: f = f }
}
"""


def look(name: str) -> Manifest | None:
    if name == "lab/lost:1":
        raise ImageNotFound(f"there is no image {name}")
    if name == "lab/arm:1":
        return Manifest("sha256:1", frozenset({"s390x"}))
    return Manifest("sha256:1", frozenset({"amd64"})) if name.startswith("lab/") else None


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, Row]:
    (tmp_path / "w.wdl").write_text(WDL.replace("workflow inner { call sized { input: cores = 4 } }\n", ""))
    document = read_document(str(tmp_path / "w.wdl"))
    assert document.workflow is not None
    world = World(Settings(), shipped().rates("us-east-1"), look, "ubuntu:22.04")
    found = {row.call: row for row in plan(document.workflow, world)}
    for task in ("huge", "lost", "gpu", "old"):
        found |= {row.call: row for row in plan(CLI.runner_exe(document, task), world)}
    return found


def test_what_is_constant_is_known(rows: dict[str, Row]) -> None:
    assert (rows["sized"].size, rows["sized"].found, rows["sized"].problem) == ("2 vCPU 8 GB", True, "")
    assert rows["sized"].dollars == pytest.approx(0.045, rel=0.5)
    small = rows["small"]
    assert (small.size, small.image, small.found) == ("1 vCPU 2 GB", "ubuntu:22.04", None)


def test_what_depends_on_data_is_not(rows: dict[str, Row]) -> None:
    assert [rows[call].size for call in ("other", "data")] == ["?", "?"]
    assert [rows[call].dollars for call in ("other", "data")] == [None, None]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("huge", "no size of Fargate holds 64 cpu"),
        ("lost", "there is no image lab/lost:1"),
        ("gpu", "it asks for a GPU"),
        ("old", "was built for s390x"),
    ],
)
def test_what_cannot_run_is_a_problem(rows: dict[str, Row], call: str, problem: str) -> None:
    assert problem in rows[call].problem
