"""What becomes of tasks without a sandbox, and of their reservations, when their head is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.killed_heads import DETACHED, KilledHead


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KilledHead:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return KilledHead(tmp_path / "run", "never", DETACHED, "sleep 603")


def test_the_guardian_ends_everything_frees_the_cores_and_leaves_a_note(killed: KilledHead) -> None:
    assert killed.processes() >= 4 and killed.cores_held() == 2
    killed.kill_head()
    killed.expect_nothing_left()
    cleaned = killed.sweep()
    assert cleaned.run_id == "a_killed_run" and cleaned.processes >= 4
    assert not killed.entry.exists()


def test_the_sweep_does_what_a_guardian_that_was_killed_too_could_not(killed: KilledHead) -> None:
    killed.kill_guardian()
    killed.kill_head()
    assert killed.cores_held() == 0, "a dead head's lease counts"
    left = killed.processes()
    assert left >= 4
    assert killed.sweep().processes == left
    killed.expect_nothing_left()


def test_a_run_that_begins_at_once_waits_for_the_guardian_and_says_what_it_did(killed: KilledHead) -> None:
    killed.kill_head()
    cleaned = killed.sweep()
    assert cleaned.run_id == "a_killed_run" and cleaned.processes >= 4
    assert not killed.entry.exists()
    killed.expect_nothing_left()
