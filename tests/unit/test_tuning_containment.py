"""The replacement that compares paths: it answers as miniwdl's function does, and is where miniwdl asks most."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest
from WDL._util import path_really_within as original
from WDL.runtime import _io_helpers

from cromulent_wdl.plugin.tuning.containment import CONTAINMENT, path_really_within


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task's directory with files and links of all kinds, beside another whose name begins alike."""
    work = tmp_path / "work"
    (work / "sub").mkdir(parents=True)
    (tmp_path / "work2").mkdir()
    for file in ("work/a", "work/sub/b", "work2/c", "work/x (deleted)", "work/é \udcff\n"):
        (tmp_path / file).touch()
    os.mkfifo(work / "pipe")
    links = {
        "work/inside": "sub/b",
        "work/out": "../work2/c",
        "work/absolute": str(work / "a"),
        "work/directory": "../work2",
        "work/up": "..",
        "work/nowhere": "gone/file",
        "work/loop": "loop",
        "work/chain": "out",
        "also": "work",
    }
    for link, target in links.items():
        (tmp_path / link).symlink_to(target)
    (tmp_path / "work/sub/locked").mkdir(0)
    monkeypatch.chdir(work)
    return tmp_path


def test_every_pair_of_paths_is_judged_as_miniwdl_does(place: Path) -> None:
    found = [str(path) for path in place.rglob("*")]
    found += [f"{place}/also/{name}" for name in ("a", "sub/b", "out", "missing")]
    found += [f"{path}/" for path in found] + [
        "/",
        "",
        ".",
        "a",
        "sub/../a",
        "..",
        f"{place}/work/none/at/all",
        "/dev/null",
    ]
    found.append(f"{place}//work/./sub/../sub/b")
    answers = {(inner, outer): original(inner, outer) for inner in found for outer in found}
    assert {pair: path_really_within(*pair) for pair in answers} == answers
    assert set(answers.values()) == {True, False}


def test_what_has_no_path_and_what_was_removed_are_judged_as_miniwdl_does(place: Path) -> None:
    pipe, _ = ends = os.pipe()
    gone = os.open(place / "work" / "a", os.O_RDONLY)
    (place / "work" / "a").unlink()
    for opened in (pipe, gone):
        for outer in (f"/proc/{os.getpid()}", str(place)):
            inner = f"/proc/self/fd/{opened}"
            assert path_really_within(inner, outer) == original(inner, outer)
    for opened in (*ends, gone):
        os.close(opened)


def test_outputs_and_their_links_are_judged_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_io_helpers, "path_really_within", original)
    containers = ModuleType("task_container")
    CONTAINMENT.replace(containers)
    assert vars(containers)["path_really_within"] is vars(_io_helpers)["path_really_within"] is path_really_within
