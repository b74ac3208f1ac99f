"""Tests that hang are ended, and named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import ended, running

ROOT = Path(__file__).parents[2]
HANGS = """
import subprocess, sys
import pytest

@pytest.fixture(scope="session")
def neighbour():
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()

def test_waits(neighbour):
    with subprocess.Popen(["sleep", "600"]):
        print("about to fail")
        raise AssertionError("while its program goes on")

def test_after(neighbour):
    assert neighbour.poll() is None

def test_reads():
    print("it reads", file=sys.__stderr__, flush=True)
    sys.__stdin__.read()
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "test_hangs.py").write_text(HANGS)
    options = ["-p", "tests.limits", "-p", "no:cacheprovider", "-v", "-s", "-o", "timeout=1.5"]
    return [sys.executable, "-m", "pytest", *options, str(tmp_path)]


def test_a_test_that_waits_for_its_program_fails_and_others_go_on(command: list[str]) -> None:
    done = subprocess.run(
        [*command, "-k", "not reads"], cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=60
    )
    assert "1 failed, 1 passed, 1 deselected" in done.stdout
    assert done.returncode == 1


def test_what_is_told_to_end_names_the_test_that_runs(command: list[str]) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running([*command, "-k", "reads", "-o", "timeout=60"], cwd=ROOT, text=True, **pipes) as process:
        assert process.stderr is not None
        assert any("it reads" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        out, said = ended(process)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert " in test_reads\n" in said, "its stack"
    assert "Told to end while this ran: test_hangs.py::test_reads (" in said
    assert "told to end while this ran" in out
