"""The wrapper's script in the shells of this machine, and what is read of its figures."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cromulent_wdl.backends.container.wrapper import entrypoint
from cromulent_wdl.backends.figures import Figures, parse
from cromulent_wdl.model import Usage

SHELLS = {"sh": ["/bin/sh"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    words = SHELLS[request.param]
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    return words


def wrapped(shell: list[str], directory: Path, command: str, interpreter: str = "/bin/sh -u") -> int:
    """Run the wrapper as a container would and return its exit status."""
    (directory / "work").mkdir()
    for name in ("command", "stdout.txt", "stderr.txt", "usage.txt"):
        (directory / name).write_text(command if name == "command" else "")
    arguments = entrypoint(interpreter, "")[1:]
    environment = {"PATH": "/nowhere"}  # builtins only: no program of the image may be needed
    words = [str(shutil.which(shell[0])), *shell[1:]]
    return subprocess.run([*words, *arguments], cwd=directory / "work", env=environment, check=False).returncode


def test_a_command(shell: list[str], tmp_path: Path) -> None:
    assert wrapped(shell, tmp_path, "echo out; echo err >&2; exit 7") == 7
    assert (tmp_path / "stdout.txt").read_text() == "out\n"
    assert (tmp_path / "stderr.txt").read_text() == "err\n"
    figures = parse((tmp_path / "usage.txt").read_text())
    assert figures.exit_code == 7 and not figures.no_shell
    assert figures.usage.seconds is not None and figures.usage.seconds < 60


def test_streams_are_appended_to(shell: list[str], tmp_path: Path) -> None:
    wrapped(shell, tmp_path, "echo two >> ../stdout.txt; echo three")
    assert (tmp_path / "stdout.txt").read_text() == "two\nthree\n"


def test_options_of_the_interpreter(shell: list[str], tmp_path: Path) -> None:
    assert wrapped(shell, tmp_path, "echo $UNSET; exit 0", "/bin/sh -u") != 0


@pytest.mark.parametrize("missing", ["/bin/nosuchshell", "nosuchshell -e"])
def test_an_interpreter_that_is_missing(shell: list[str], tmp_path: Path, missing: str) -> None:
    assert wrapped(shell, tmp_path, "exit 0", missing) == 127
    assert parse((tmp_path / "usage.txt").read_text()) == Figures(no_shell=True)


def test_a_command_that_ends_with_127_has_its_shell(shell: list[str], tmp_path: Path) -> None:
    assert wrapped(shell, tmp_path, "exit 127") == 127
    assert not parse((tmp_path / "usage.txt").read_text()).no_shell


def test_figures_of_cgroups_version_2() -> None:
    text = "memory_peak 1048576\noom_kills 2\ncpu_microseconds 1500000\nbegan 10.25\nended 12.75\nexit 0\n"
    usage = Usage(memory_peak=1048576, cpu_seconds=1.5, seconds=2.5, source="cgroup")
    assert parse(text) == Figures(usage, oom_kills=2, exit_code=0)


def test_figures_of_cgroups_version_1() -> None:
    assert parse("cpu_nanoseconds 36994795\n").usage == Usage(cpu_seconds=0.037, source="cgroup")


def test_without_a_cgroup_of_its_own_only_time_is_its_own() -> None:
    text = "memory_peak 99\noom_kills 2\ncpu_microseconds 1500000\nbegan 1.0\nended 2.0\nexit 3\n"
    assert parse(text, own_cgroup=False) == Figures(Usage(seconds=1.0), exit_code=3)


@pytest.mark.parametrize(
    "text", ["", "exit", "exit x\n", "exit 1", "exit 1e9\n", "\0\0", "exit 99999999999999999999\n"]
)
def test_what_is_not_whole_is_nothing(text: str) -> None:
    assert parse(text) == Figures()
