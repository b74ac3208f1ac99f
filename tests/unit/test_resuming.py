"""What an earlier head's links to outputs become, wherever it died."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cromulent_wdl.plugin.resuming import set_aside


def linked(call: Path, *names: str, written: bool = True, text: str = "") -> None:
    """Leave links to outputs as the engine does, one in a directory of its own name each."""
    for name in names:
        (call / "out" / name).mkdir(parents=True)
        (call / "out" / name / name).write_text(text)
    if written:
        (call / "outputs.json").write_text("{}")
        stamp = (call / "out").stat().st_mtime_ns
        os.utime(call / "outputs.json", ns=(stamp, stamp))  # on a disk with coarse times


def before(call: Path) -> dict[str, str]:
    """Return what was set aside."""
    return {path.name: path.read_text() for path in (call / "out.before").glob("*/*")}


@pytest.fixture
def call(tmp_path: Path) -> Path:
    call = tmp_path / "call-inner" / "call-one-0"
    call.mkdir(parents=True)
    return call


def test_what_a_head_has_linked_is_set_aside(tmp_path: Path, call: Path) -> None:
    linked(tmp_path, "run")
    linked(call, "a", "b")
    set_aside(str(tmp_path))
    assert (list(before(tmp_path)), sorted(before(call))) == (["run"], ["a", "b"])
    assert not (call / "out").exists()


def test_what_the_next_head_has_linked_takes_its_place(tmp_path: Path, call: Path) -> None:
    linked(call, "a", "b", text="old")
    set_aside(str(tmp_path))
    linked(call, "a", "b", text="new")
    set_aside(str(tmp_path))
    assert before(call) == {"a": "new", "b": "new"}


@pytest.mark.parametrize("names", [(), ("a",)])
def test_what_a_head_died_over_does_not_take_the_place_of_what_is_whole(
    tmp_path: Path, call: Path, names: tuple[str, ...]
) -> None:
    linked(call, "a", "b", text="old")
    os.utime(call / "out", (0, 0))
    os.utime(call / "outputs.json", (0, 0))
    set_aside(str(tmp_path))
    (call / "out").mkdir()
    linked(call, *names, written=False, text="new")
    set_aside(str(tmp_path))
    assert before(call) == {"a": "old", "b": "old"}
    assert not (call / "out").exists()


def test_the_first_head_may_die_over_it_as_well(tmp_path: Path, call: Path) -> None:
    linked(call, "a", written=False)
    set_aside(str(tmp_path))
    assert not (call / "out").exists()
    linked(call, "a", "b")
    set_aside(str(tmp_path))
    assert sorted(before(call)) == ["a", "b"]
