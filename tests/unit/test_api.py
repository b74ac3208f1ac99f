"""Runs from Python, on this machine; those in the cloud are in tests/simulator/test_cloud_runs.py."""

from __future__ import annotations

from pathlib import Path

import pytest

import cromulent_wdl
from cromulent_wdl.errors import UsageError

HELLO = """version 1.1
task hello {
  input { String name  File? letter }
  command <<< echo "Hello, ~{name}!"; echo greeting >&2; ~{if name == "nobody" then "exit 3" else ""} >>>
  output { String message = read_string(stdout()) }
}
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "hello.wdl"
    path.write_text(HELLO)
    return path


def test_a_run_from_start_to_outputs(source: Path, tmp_path: Path) -> None:
    run = cromulent_wdl.run(source, {"name": "World"}, directory=tmp_path, backend="process", no_cache=True)
    assert run.wait(60, check=True).outputs == {"hello.message": "Hello, World!"}
    assert (run.state, run.logs("hello")) == ("ok", "greeting\n")
    assert cromulent_wdl.attach(run.id).outputs == run.outputs
    assert repr(run) == f"<run {run.id}>"


def test_a_run_that_failed_says_why(source: Path, tmp_path: Path) -> None:
    run = cromulent_wdl.run(source, {"name": "nobody"}, directory=tmp_path, backend="process").wait(60)
    assert run.state == "failed"
    with pytest.raises(cromulent_wdl.RunFailed, match="exit status 3"):
        _ = run.outputs
    with pytest.raises(cromulent_wdl.RunFailed, match="exit status 3"):
        run.wait(60, check=True)


def test_a_run_that_was_refused_says_so_when_it_is_waited_for(source: Path, tmp_path: Path) -> None:
    run = cromulent_wdl.run(source, {"nmae": "World"}, directory=tmp_path, backend="process")
    with pytest.raises(cromulent_wdl.RunFailed, match=r"has no input 'nmae'. Did you mean 'name'\?"):
        run.wait(60)
    assert run.state == "failed"


def test_a_place_that_is_not_one_is_refused_before_anything_is_made(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'here' or 'aws', not 'AWS'"):
        cromulent_wdl.run(source, {}, on="AWS", directory=tmp_path / "none")  # type: ignore[arg-type]
    assert not (tmp_path / "none").exists()


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError):
        _ = cromulent_wdl.nothing
