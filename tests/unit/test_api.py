"""Runs from Python, on this machine; those in the cloud are in tests/simulator/test_cloud_runs.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

import cromulent_wdl
from cromulent_wdl.cli.from_python import start_here
from cromulent_wdl.errors import UsageError
from tests.fakes.clocks import FakeClock

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
    run = cromulent_wdl.run(source, {"name": "World"}, dir=tmp_path, backend="process", no_cache=True)
    assert run.wait(60, check=True).outputs == {"hello.message": "Hello, World!"}
    assert (run.state, run.logs("hello")) == ("ok", "greeting\n")
    assert cromulent_wdl.attach(run.id).outputs == run.outputs
    assert repr(run) == f"<run {run.id}>"


def test_a_run_that_failed_says_why(source: Path, tmp_path: Path) -> None:
    run = cromulent_wdl.run(source, {"name": "nobody"}, dir=tmp_path, backend="process").wait(60)
    assert run.state == "failed"
    with pytest.raises(cromulent_wdl.RunFailed, match="exit status 3"):
        _ = run.outputs
    with pytest.raises(cromulent_wdl.RunFailed, match="exit status 3"):
        run.wait(60, check=True)


@pytest.mark.parametrize(
    ("inputs", "options", "sentence"),
    [
        ({"nmae": "World"}, {}, r"has no input 'nmae'. Did you mean 'name'\?"),
        ({"name": "World", "letter": "/none"}, {}, "there is no input file /none"),
        ({"name": "World"}, {"backend": "dcoker"}, "dcoker"),
        ({"name": "World"}, {"bakcend": "docker"}, "No such option"),
        ({"name": "World"}, {"on": "AWS"}, "'AWS' is not one of 'here', 'aws'"),
        ({"name": "World"}, {"detach": True}, "--detach is about runs in the cloud"),
    ],
)
def test_what_the_command_line_refuses_is_refused_before_anything_is_made(
    source: Path, tmp_path: Path, inputs: dict[str, str], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        cromulent_wdl.run(source, inputs, dir=tmp_path / "new" / "runs", **{"backend": "process", **options})
    assert not (tmp_path / "new").exists()


def test_ctrl_c_while_a_run_begins_ends_it(source: Path, tmp_path: Path) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    before = set(psutil.Process().children())
    with pytest.raises(KeyboardInterrupt):
        start_here(str(source), '{"name": "x"}', tmp_path, {"backend": "process"}, FakeClock(asleep=press))
    assert set(psutil.Process().children()) <= before


def test_inputs_may_be_longer_than_an_argument(source: Path, tmp_path: Path) -> None:
    run = cromulent_wdl.run(source, {"name": "x" * 200_000}, dir=tmp_path, backend="process").wait(60)
    assert run.outputs == {"hello.message": f"Hello, {'x' * 200_000}!"}


def test_a_run_is_found_by_what_the_command_line_finds_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'deployment'"):
        cromulent_wdl.attach("last", deployment="lab")


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError):
        _ = cromulent_wdl.nothing
