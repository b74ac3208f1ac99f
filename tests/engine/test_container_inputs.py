"""Inputs as a command in a container sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from cromulent_wdl.model import Ending
from tests.engine.bench import INPUTS, Bench, input_mount

ODD_NAMES = [
    "plain.txt",
    "two words.txt",
    " leading and trailing ",
    "colon:ro",
    "comma,ro=true",
    'double"quote',
    "single'quote",
    "back\\slash",
    "new\nline",
    "{{braces}}",
    "$HOME `id` $(id)",
    "per%20cent",
    "-dash",
    "ünï☃.txt",
    "a=b;c&d|e*?[f]",
]


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_names(bench: Bench, tmp_path: Path, kind: str) -> None:
    inputs = []
    for number, name in enumerate(ODD_NAMES):
        path = tmp_path / "inputs" / name
        file = path / "inner" if kind == "directory" else path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(number))
        inputs.append(path)
    suffix = "/inner" if kind == "directory" else ""
    task = bench.task(f'for input in {INPUTS}/*; do cat "$input{suffix}"; done', *inputs)
    assert bench.run(task).ending is Ending.OK
    seen = sorted(path.name for path in (task.work / "_miniwdl_inputs/0").iterdir())
    assert seen == sorted(ODD_NAMES)
    numbers = "".join(str(ODD_NAMES.index(name)) for name in ODD_NAMES)
    assert sorted(task.stdout.read_text()) == sorted(numbers)


def test_a_working_directory_with_an_odd_name(bench: Bench, tmp_path: Path) -> None:
    bench = Bench(bench.backend, bench.image, tmp_path / 'a, "b": {{c}}')
    file = tmp_path / "in"
    file.write_text("here")
    task = bench.task(f"cat {INPUTS}/in > out", file)
    assert bench.run(task).ending is Ending.OK
    assert (task.work / "out").read_text() == "here"


def test_inputs_cannot_be_written(bench: Bench, tmp_path: Path) -> None:
    file, directory = tmp_path / "file", tmp_path / "directory"
    file.write_text("kept")
    directory.mkdir()
    task = bench.task(
        f"echo > {INPUTS}/file && exit 3; touch {INPUTS}/directory/new && exit 4; exit 0", file, directory
    )
    assert bench.run(task).ending is Ending.OK
    assert file.read_text() == "kept"
    assert not list(directory.iterdir())


def test_a_file_can_be_made_beside_an_input(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "genome.fa"
    file.touch()
    task = bench.task(f"echo index > {INPUTS}/genome.fa.fai", file)
    assert bench.run(task).ending is Ending.OK
    assert (task.work / "_miniwdl_inputs/0/genome.fa.fai").read_text() == "index\n"


def test_an_input_that_is_a_symbolic_link(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("content")
    link = tmp_path / "link"
    link.symlink_to("real")
    task = bench.task(f"cat {INPUTS}/link", link)
    bench.run(task)
    assert task.stdout.read_text() == "content"


def test_inputs_that_were_copied_are_not_mounted(bench: Bench, tmp_path: Path) -> None:
    original = tmp_path / "file"
    original.write_text("original")
    task = replace(bench.task(f"echo changed > {INPUTS}/file"), inputs=(input_mount(original),), inputs_copied=True)
    copy = task.work / "_miniwdl_inputs/0/file"
    copy.parent.mkdir(parents=True)
    copy.write_text("copy")
    assert bench.run(task).ending is Ending.OK
    assert (original.read_text(), copy.read_text()) == ("original", "changed\n")


def test_three_hundred_inputs(bench: Bench, tmp_path: Path) -> None:
    inputs = [tmp_path / f"input-{number}" for number in range(300)]
    for path in inputs:
        path.write_text("x")
    task = bench.task(f"cat {INPUTS}/* | wc -c", *inputs)
    bench.run(task)
    assert task.stdout.read_text().strip() == "300"
