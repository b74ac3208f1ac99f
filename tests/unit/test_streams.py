"""What becomes of a command when a standard stream is closed, full, left by its reader, or narrow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.journals import failed_run, make_run

CROMULENT = (sys.executable, "-m", "cromulent_wdl")
UNBUFFERED = "PYTHONUNBUFFERED"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    return tmp_path


@pytest.fixture
def left_by_its_reader() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def test_a_reader_that_has_had_enough_is_no_error(place: Path, left_by_its_reader: int) -> None:
    for number in range(50):
        make_run(place / f"run{number}", failed_run(1.0))
    done = subprocess.run([*CROMULENT, "ls", "--json", "--all"], stdout=left_by_its_reader, stderr=subprocess.PIPE)
    os.close(left_by_its_reader)
    assert (done.returncode, done.stderr) == (141, b"")


def test_talk_goes_on_when_nobody_listens(left_by_its_reader: int) -> None:
    done = subprocess.run([*CROMULENT, "nonsense"], stderr=left_by_its_reader, stdout=subprocess.PIPE)
    os.close(left_by_its_reader)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_that_cannot_be_written_is_said_in_a_sentence(unbuffered: str) -> None:
    environment = {**os.environ, UNBUFFERED: unbuffered}
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*CROMULENT, "ls", "--json"], stdout=full, stderr=subprocess.PIPE, env=environment)
    assert (done.returncode, done.stderr.decode()) == (1, "No space left on device: standard output\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_stream_that_was_closed_before_is_no_trouble(closed: str) -> None:
    done = subprocess.run(["/bin/sh", "-c", f'"$@" {closed}', "sh", *CROMULENT, "ls", "--json"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_the_encoding_lacks_is_escaped(place: Path) -> None:
    make_run(place / "run", failed_run(1.0))
    narrow = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([*CROMULENT, "status", "last"], env=narrow, text=True, capture_output=True)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert "\\u2714  index" in done.stdout
