"""Where a user's state is kept, with and without a home."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from cromulent_wdl.storage import layout


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for temporary files, and a home that is none."""
    (tmp_path / "home").write_text("a file")
    (tmp_path / "temporary").mkdir()
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def test_state_is_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    assert (tmp_path / "ada") in layout.state_directory().parents


def test_without_a_home_state_is_among_the_temporary_files(temporary: Path) -> None:
    path = layout.heads_directory()
    assert path == temporary / f"cromulent-{os.getuid()}" / "heads"
    assert path.stat().st_mode & 0o777 == 0o700
    assert layout.heads_directory() == path


def test_a_place_that_was_asked_for_is_not_left_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    with pytest.raises(NotADirectoryError):
        layout.state_directory()


@pytest.mark.parametrize("trap", ["link", "open"])
def test_what_others_may_have_put_there_is_refused(temporary: Path, trap: str) -> None:
    place = temporary / f"cromulent-{os.getuid()}"
    if trap == "link":
        (temporary / "elsewhere").mkdir(mode=0o700)
        place.symlink_to("elsewhere")
    else:
        place.mkdir()
        place.chmod(0o777)
    with pytest.raises(PermissionError, match="another user may write to it"):
        layout.state_directory()
