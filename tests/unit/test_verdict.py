from __future__ import annotations

import errno
from pathlib import Path

import pytest

from cromulent_wdl.backends.verdict import Evidence, failed_preparation, tail, verdict
from cromulent_wdl.model import Ending, Usage


@pytest.mark.parametrize(
    ("evidence", "ending"),
    [
        (Evidence(0), Ending.OK),
        (Evidence(0, memory_kills=1), Ending.OK),
        (Evidence(0, stderr_tail="No space left on device"), Ending.OK),
        (Evidence(1), Ending.FAILED),
        (Evidence(0, stopped=True), Ending.STOPPED),
        (Evidence(137, stopped=True, memory_kills=1), Ending.STOPPED),
        (Evidence(137, memory_kills=1), Ending.OOM),
        (Evidence(1, memory_kills=1, disk_full=True), Ending.OOM),
        (Evidence(1, disk_full=True), Ending.DISK_FULL),
        (Evidence(1, stderr_tail="write: Disk quota exceeded\n"), Ending.DISK_FULL),
        (Evidence(1, sandbox_failure="Can't find source path"), Ending.MOUNT),
    ],
)
def test_the_ending_follows_from_what_was_seen(evidence: Evidence, ending: Ending) -> None:
    assert verdict(evidence, Usage()).ending is ending


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        (errno.ENOSPC, Ending.DISK_FULL),
        (errno.EDQUOT, Ending.DISK_FULL),
        (errno.EAGAIN, Ending.CAPACITY),
        (errno.EACCES, Ending.MOUNT),
    ],
)
def test_what_fails_before_the_command_has_an_ending_and_a_reason(number: int, ending: Ending) -> None:
    outcome = failed_preparation(OSError(number, "the reason"))
    assert outcome.ending is ending and "the reason" in outcome.message and outcome.exit_code is None


def test_a_process_killed_for_memory_is_told_where_the_command_did_without_it() -> None:
    assert "killed for memory" in verdict(Evidence(0, memory_kills=1), Usage()).message
    assert not verdict(Evidence(0), Usage()).message


def test_the_limit_is_in_the_message() -> None:
    assert "2 GB" in verdict(Evidence(137, memory_kills=1, memory_limit=2_000_000_000), Usage()).message


def test_a_status_that_is_no_signals_is_left_alone() -> None:
    assert verdict(Evidence(254), Usage()).message == "the command ended with status 254"


def test_the_tail_is_a_kilobyte_at_most(tmp_path: Path) -> None:
    file = tmp_path / "stderr.txt"
    assert tail(file) == ""
    file.write_bytes(b"x" * 5000 + b"\xff end")
    assert len(tail(file)) == 1024 and tail(file).endswith("\ufffd end")
