"""The examples, on every backend, as their READMEs tell one to run them, with the numbers that these promise."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from cromulent_wdl.engine import connect
from cromulent_wdl.errors import EngineUnavailable

EXAMPLES = Path(__file__).parents[2] / "examples"
VARIANTS = EXAMPLES / "variants"
IMAGE = "cromulent-examples/variants:1"
TOOLS = ("bwa", "samtools", "bcftools")
COUNTS = {"shipped": 86, "paired": 40, "single": 25}
CHECKSUM = "183c25c60230ed6b5d1ff8e37fb556b5"
Backend = Literal["process", "docker", "podman"]
BACKENDS = [
    pytest.param("process"),
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("podman", marks=pytest.mark.podman),
]


def require(image: str, backend: Backend) -> None:
    """Leave the test out unless the backend has the image, or is `process`, which needs none."""
    if backend == "process":
        return
    try:
        engine = connect(backend)
    except EngineUnavailable as error:
        pytest.skip(f"{error}: {error.hint}")
    with contextlib.closing(engine):
        if engine.image(image) is None:
            pytest.skip(f"{backend} has no image {image}; tests.machine and examples/variants/README.md make it")


def run(workflow: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "cromulent_wdl", "run", str(workflow), "--no-cache", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outputs: dict[str, Any] = json.loads(done.stdout)["outputs"]
    return outputs


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not Path("/usr/share/doc/bowtie2/examples").is_dir() and shutil.which("apt-get") is None:
        pytest.skip("the data come from Debian's package bowtie2-examples")
    directory = tmp_path_factory.mktemp("data")
    subprocess.run([sys.executable, VARIANTS / "data.py", directory], check=True, stdout=subprocess.DEVNULL)
    return directory


@pytest.mark.parametrize("backend", BACKENDS)
def test_md5sum(backend: Backend, tmp_path: Path) -> None:
    require("ubuntu:22.04", backend)
    file = tmp_path / "it's a file.txt"
    file.write_text("ACGT\n")
    outputs = run(EXAMPLES / "md5sum/md5sum.wdl", f"file={file}", "--backend", backend, "--dir", str(tmp_path))
    expected = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    assert outputs["md5sum.checksum"] == expected
    assert Path(outputs["md5sum.checksum_file"]).read_text() == f"{expected}  {file.name}\n"


@pytest.mark.parametrize("backend", BACKENDS)
def test_variants(backend: Backend, data: Path, tmp_path: Path) -> None:
    require_variants_tools(backend)
    outputs = run(
        VARIANTS / "variants.wdl", "-i", str(data / "inputs.json"), "--backend", backend, "--dir", str(tmp_path)
    )
    assert {call["name"]: call["count"] for call in outputs["variants.calls"]} == COUNTS
    assert outputs["variants.checksum"] == CHECKSUM
    assert {file.name for file in Path(outputs["variants.report"]).iterdir()} == {"all.vcf", "table.tsv"}
    assert [Path(bam).name for bam in outputs["variants.alignments"]] == [f"{name}.bam" for name in COUNTS]


def test_variants_of_one_sample_in_some_regions(data: Path, tmp_path: Path) -> None:
    require_variants_tools("process")
    inputs = json.loads((data / "inputs.json").read_text())
    inputs["variants.samples"] = inputs["variants.samples"][:1]
    inputs["variants.targets"] = str(data / "early_genes.bed")
    arguments = ["-i", json.dumps(inputs), "minimum_quality=100", "--backend", "process", "--dir", str(tmp_path)]
    outputs = run(VARIANTS / "variants.wdl", *arguments)
    [call] = outputs["variants.calls"]
    assert 0 < call["count"] < COUNTS["shipped"]
    merged = (Path(outputs["variants.report"]) / "all.vcf").read_text()
    records = [line for line in merged.splitlines() if not line.startswith("#")]
    assert len(records) == call["count"]
    assert all(35000 < int(record.split("\t")[1]) <= 40000 for record in records)


def test_readme_promises_what_comes_out() -> None:
    text = (VARIANTS / "README.md").read_text()
    assert CHECKSUM in text
    assert all(f"| {name} | {count} |" in text for name, count in COUNTS.items())


def require_variants_tools(backend: Backend) -> None:
    require(IMAGE, backend)
    missing = [tool for tool in TOOLS if backend == "process" and shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
