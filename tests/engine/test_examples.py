"""The examples, on every backend, as their READMEs tell one to run them, with the numbers that these promise."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import docker
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
VARIANTS = EXAMPLES / "variants"
IMAGE = "cromulent-examples/variants:1"
TOOLS = ("bwa", "samtools", "bcftools")
COUNTS = {"shipped": 86, "paired": 40, "single": 25}
CHECKSUM = "183c25c60230ed6b5d1ff8e37fb556b5"
BACKENDS = [
    pytest.param("process"),
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("podman", marks=pytest.mark.podman),
]
ENGINES = {
    "docker": ("DOCKER_HOST", "unix:///var/run/docker.sock"),
    "podman": ("CONTAINER_HOST", "unix:///run/podman/podman.sock"),
}


def images_of(backend: str) -> list[str]:
    variable, usual = ENGINES[backend]
    try:
        client = docker.DockerClient(base_url=os.environ.get(variable, usual))
    except docker.errors.DockerException:
        pytest.skip(f"no {backend} answers")
    with contextlib.closing(client):
        return [tag.removeprefix("localhost/") for image in client.images.list() for tag in image.tags]


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
def test_md5sum(backend: str, tmp_path: Path) -> None:
    if backend in ENGINES and not any("ubuntu:22.04" in tag for tag in images_of(backend)):
        pytest.skip(f"{backend} has no image ubuntu:22.04, the default for tasks that name none")
    file = tmp_path / "it's a file.txt"
    file.write_text("ACGT\n")
    outputs = run(EXAMPLES / "md5sum/md5sum.wdl", f"file={file}", "--backend", backend, "--dir", str(tmp_path))
    expected = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    assert outputs["md5sum.checksum"] == expected
    assert Path(outputs["md5sum.checksum_file"]).read_text() == f"{expected}  {file.name}\n"


@pytest.mark.parametrize("backend", BACKENDS)
def test_variants(backend: str, data: Path, tmp_path: Path) -> None:
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


def require_variants_tools(backend: str) -> None:
    if backend in ENGINES and IMAGE not in images_of(backend):
        pytest.skip(f"{backend} has no image {IMAGE}; examples/variants/README.md tells how to make it")
    missing = [tool for tool in TOOLS if backend not in ENGINES and shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
