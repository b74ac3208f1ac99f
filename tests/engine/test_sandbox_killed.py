"""What becomes of sandboxed tasks, and of their reservations, when their head is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cromulent_wdl.backends.process.sandbox import find_sandbox
from tests.fakes.killed_heads import DETACHED, KilledHead

pytestmark = pytest.mark.bubblewrap


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KilledHead:
    found = find_sandbox()
    if isinstance(found, str):
        pytest.skip(found)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return KilledHead(tmp_path / "run", "always", DETACHED, "sleep 603")


def test_they_die_with_it_and_the_guardian_frees_the_cores(killed: KilledHead) -> None:
    assert killed.cores_held() == 2
    killed.kill_head()
    killed.expect_nothing_left()


def test_they_die_with_it_without_a_guardian_too(killed: KilledHead) -> None:
    killed.kill_guardian()
    killed.kill_head()
    assert killed.cores_held() == 0
    killed.sweep_all()
    killed.expect_nothing_left()
    assert not killed.entry.exists()
