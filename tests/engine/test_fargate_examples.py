"""The examples on Fargate, which is a simulator with real containers: the numbers that their READMEs promise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.engine.test_examples import CHECKSUM, COUNTS, EXAMPLES, IMAGE, VARIANTS, Backend, data, require
from tests.simulator.cloud import Cloud
from tests.simulator.fargate import Lab

__all__ = ["data"]  # a fixture

PLANES = [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("docker", "podman")]


@pytest.fixture(scope="module", params=PLANES)
def plane(request: pytest.FixtureRequest) -> Backend:
    kind: Backend = request.param
    for image in ("ubuntu:22.04", IMAGE):
        require(image, kind)
    return kind


@pytest.fixture(scope="module")
def lab(plane: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home / "simulator"))
        simulation = Simulation.start(Settings(data_plane=plane))
        try:
            with Cloud.at(simulation.address, "111111111111", "secret") as cloud:
                yield Lab.of(simulation, cloud, home)
        finally:
            simulation.close()


def test_md5sum_of_a_file_that_the_image_has_otherwise(lab: Lab) -> None:
    ran = lab.run("run", str(EXAMPLES / "md5sum/md5sum.wdl"), "file=/etc/passwd", "--dir", str(lab.mount))
    expected = hashlib.md5(Path("/etc/passwd").read_bytes(), usedforsecurity=False).hexdigest()
    assert ran.outputs["md5sum.checksum"] == expected


def test_variants(lab: Lab, plane: Backend, data: Path) -> None:
    module = "cromulent_wdl" if plane == "docker" else "WDL"  # plain miniwdl does as well, and either takes its time
    arguments = ("run", str(VARIANTS / "variants.wdl"), "-i", str(data / "inputs.json"), "--dir", str(lab.mount))
    outputs = lab.run(*arguments, "--no-cache", module=module).outputs
    assert {call["name"]: call["count"] for call in outputs["variants.calls"]} == COUNTS
    assert outputs["variants.checksum"] == CHECKSUM
    assert {file.name for file in Path(outputs["variants.report"]).iterdir()} == {"all.vcf", "table.tsv"}
    assert [Path(bam).name for bam in outputs["variants.alignments"]] == [f"{name}.bam" for name in COUNTS]
    assert all(
        Path(bam).is_relative_to(lab.mount) and Path(bam).stat().st_size for bam in outputs["variants.alignments"]
    )
