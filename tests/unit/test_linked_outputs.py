"""Outputs that are links to inputs, as miniwdl asks our container for them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from WDL.runtime import config
from WDL.runtime.error import OutputError

from cromulent_wdl.plugin import session
from cromulent_wdl.plugin.container import CromulentContainer


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CROMULENT_BACKEND", "process")
    (tmp_path / "data/tree/sub").mkdir(parents=True)
    for name in ("data/x.bam", "data/tree/sub/file", "secret"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def container(place: Path) -> Iterator[CromulentContainer]:
    cfg = config.Loader(logging.getLogger("test"), filenames=[])
    made = CromulentContainer(cfg, "call", str(place / "call"))
    made.add_paths([str(place / "data/x.bam"), f"{place}/data/tree/"])
    for host, inside in made.input_path_map.items():
        os.makedirs(os.path.dirname(inside.rstrip("/")), exist_ok=True)
        os.symlink(host.rstrip("/"), inside.rstrip("/"))
    yield made
    session.session(cfg, place).close()


def test_a_link_to_an_input_is_an_output_of_its_own_name(container: CromulentContainer, place: Path) -> None:
    work = place / "call/work"
    (work / "y.bam").symlink_to(container.input_path_map[str(place / "data/x.bam")])
    for asked in ("y.bam", str(work / "y.bam")):
        assert container.host_path(asked) == str(work / "y.bam")
    assert container.host_path("y.bam/") is None


def test_a_link_into_an_input_directory(container: CromulentContainer, place: Path) -> None:
    work = place / "call/work"
    inside = container.input_path_map[f"{place}/data/tree/"]
    (work / "file").symlink_to(f"{inside}sub/file")
    (work / "sub").symlink_to(f"{inside}sub")
    assert container.host_path("file") == str(work / "file")
    assert container.host_path("sub/") == f"{work}/sub/"
    assert container.host_path("sub/file") == f"{work}/sub/file"


def test_an_input_itself(container: CromulentContainer, place: Path) -> None:
    assert container.host_path(container.input_path_map[str(place / "data/x.bam")]) == str(place / "data/x.bam")


def test_a_link_to_anything_else_is_refused(container: CromulentContainer, place: Path) -> None:
    work = place / "call/work"
    (work / "secret").symlink_to(place / "secret")
    (work / "above").symlink_to(place / "data")
    (place / "data/tree/out").symlink_to(place / "secret")
    tree = container.input_path_map[f"{place}/data/tree/"]
    (work / "through").symlink_to(f"{tree}out")
    for asked in ("secret", "above/", "through"):
        with pytest.raises(OutputError, match="outside its working directory"):
            container.host_path(asked)


def test_what_is_missing_is_missing(container: CromulentContainer, place: Path) -> None:
    (place / "call/work/nowhere").symlink_to("/nowhere")
    assert container.host_path("nowhere") is None and container.host_path("never") is None


def test_a_file_of_the_task_is_its_own(container: CromulentContainer, place: Path) -> None:
    (place / "call/work/own").write_text("")
    assert container.host_path("own") == str(place / "call/work/own")
