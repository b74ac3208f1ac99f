"""Memory limits and full disks, provoked for real; both take root, or a machine that delegates."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.process import ProcessBackend
from cromulent_wdl.backends.process.limits import Hierarchy, MemoryGroup, find_hierarchy
from cromulent_wdl.backends.process.sandbox import Sandbox, find_sandbox
from cromulent_wdl.backends.verdict import SURVIVED
from cromulent_wdl.backends.workplace import Workplace
from cromulent_wdl.config import Settings
from cromulent_wdl.model import Ending, Resources
from tests.engine.sandboxed import Calls

MIB = 1 << 20
HOG = "python3 -c 'x = bytearray(400 << 20)'"
LIMIT = Resources(memory_limit=100 * MIB)


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Head]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with closing(Head.open("a_run", tmp_path)) as opened:
        yield opened


@pytest.fixture(params=["never", pytest.param("always", marks=pytest.mark.bubblewrap)])
def calls(request: pytest.FixtureRequest, head: Head, tmp_path: Path) -> Iterator[Calls]:
    if request.param == "always" and not isinstance(find_sandbox(), Sandbox):
        pytest.skip(str(find_sandbox()))
    with closing(ProcessBackend(Workplace(Settings(sandbox=request.param), head), allow_images=False)) as backend:
        yield Calls(backend, tmp_path / "run")


@pytest.fixture(scope="session")
def hierarchy() -> Hierarchy:
    found = find_hierarchy()
    if found is None:
        pytest.skip("this system lets us make no memory cgroup")
    return found


def groups(hierarchy: Hierarchy, head: Head) -> list[Path]:
    return list(hierarchy.base.glob(f"cromulent-task-{head.id}-*"))


def test_a_command_that_takes_more_than_its_limit_is_out_of_memory(
    hierarchy: Hierarchy, calls: Calls, head: Head
) -> None:
    outcome, _ = calls(HOG, resources=LIMIT)
    assert (outcome.ending, outcome.exit_code) == (Ending.OOM, 137)
    assert outcome.usage.source == "cgroup"
    assert outcome.usage.memory_peak is not None and 90 * MIB < outcome.usage.memory_peak <= 101 * MIB
    assert groups(hierarchy, head) == []


def test_one_that_keeps_within_it_is_measured(hierarchy: Hierarchy, calls: Calls) -> None:
    outcome, output = calls("python3 -c 'x = bytearray(50 << 20)'", resources=LIMIT)
    assert outcome.ending is Ending.OK, output
    assert outcome.usage.memory_peak is not None and 50 * MIB < outcome.usage.memory_peak < 100 * MIB


def test_one_that_survives_the_loss_of_a_child_is_well(hierarchy: Hierarchy, calls: Calls) -> None:
    outcome, _ = calls(f"{HOG} || echo lost", resources=LIMIT)
    assert (outcome.ending, outcome.message) == (Ending.OK, SURVIVED)


def test_without_a_limit_there_is_no_group(hierarchy: Hierarchy, calls: Calls) -> None:
    outcome, _ = calls(HOG)
    assert outcome.ending is Ending.OK and outcome.usage.source == "rusage"


def test_what_fled_into_a_session_of_its_own_is_ended_with_the_group(
    hierarchy: Hierarchy, calls: Calls, head: Head
) -> None:
    outcome, _ = calls("setsid sleep 600 & sleep 0.1", resources=LIMIT)
    assert outcome.ending is Ending.OK
    assert groups(hierarchy, head) == []


def test_groups_of_heads_that_are_no_more_are_removed(hierarchy: Hierarchy, calls: Calls, head: Head) -> None:
    abandoned = hierarchy.base / "cromulent-task-feedfacefeedface-1"
    abandoned.mkdir()
    alive = MemoryGroup(hierarchy, f"{head.id}-99", 100 * MIB)
    calls("true", resources=LIMIT)
    assert not abandoned.exists() and len(groups(hierarchy, head)) == 1
    alive.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "run"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("stderr", ["", " 2> /dev/null"])
def test_a_disk_that_fills_up_is_told_from_other_failures(small_disk: Path, calls: Calls, stderr: str) -> None:
    full, after, later = (calls.task(text) for text in (f"dd if=/dev/zero of=big bs=64k{stderr}", "exit 3", "exit 3"))
    outcome = calls.run(full)
    assert outcome.ending is Ending.DISK_FULL and outcome.exit_code == 1
    assert calls.run(after).ending is Ending.DISK_FULL, "nothing can be written, so that is what is wrong"
    (full.work / "big").unlink()
    assert calls.run(later).ending is Ending.FAILED
