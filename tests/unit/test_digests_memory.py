"""The memory of digests on disk: shared by processes, pruned, and never the cause of an error."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cromulent_wdl.model.file_state import FileState
from cromulent_wdl.storage.digest_memory import DigestMemory
from tests.fakes.clocks import FakeClock

DAY = 86400.0
Open = Callable[..., DigestMemory]
FILE = FileState(device=2**63 + 1, inode=2**64 - 1, size=3, mtime_ns=4, ctime_ns=5)


@pytest.fixture
def open_memory() -> Iterator[Open]:
    """Opens memories, and closes them in the end."""
    with ExitStack() as cleanup:
        yield lambda *given: cleanup.enter_context(closing(DigestMemory(*given)))


def test_it_outlives_the_process(tmp_path: Path, open_memory: Open) -> None:
    memory = open_memory(tmp_path / "digests")
    assert memory.recall(FILE) is None
    memory.remember(FILE, "digest")
    memory.close()
    assert open_memory(tmp_path / "digests").recall(FILE) == "digest"


def test_only_the_same_state_of_the_same_file_is_known(tmp_path: Path, open_memory: Open) -> None:
    memory = open_memory(tmp_path / "digests")
    memory.remember(FILE, "digest")
    for field in FileState._fields:
        assert memory.recall(FILE._replace(**{field: 9})) is None
    memory.remember(FILE._replace(mtime_ns=6), "later")
    assert memory.recall(FILE) is None
    assert memory.recall(FILE._replace(mtime_ns=6)) == "later"


def test_what_nobody_asked_for_in_months_is_forgotten(tmp_path: Path, open_memory: Open) -> None:
    clock = FakeClock()
    used, unused = FILE, FILE._replace(inode=7)
    memory = open_memory(tmp_path / "digests", clock)
    memory.remember(used, "used")
    memory.remember(unused, "unused")
    clock.sleep(60 * DAY)
    assert memory.recall(used) == "used"
    memory.close()
    clock.sleep(60 * DAY)
    memory = open_memory(tmp_path / "digests", clock)
    assert memory.recall(used) == "used"
    assert memory.recall(unused) is None


def test_a_damaged_database_is_given_up_and_made_anew(tmp_path: Path, open_memory: Open) -> None:
    file = tmp_path / "digests"
    file.write_bytes(b"this is no database" * 1000)
    memory = open_memory(file)
    memory.remember(FILE, "digest")
    assert memory.recall(FILE) is None
    memory = open_memory(file)
    memory.remember(FILE, "digest")
    assert memory.recall(FILE) == "digest"


def test_where_there_can_be_no_database_it_knows_nothing(tmp_path: Path, open_memory: Open) -> None:
    (tmp_path / "digests").mkdir()
    memory = open_memory(tmp_path / "digests")
    memory.remember(FILE, "digest")
    assert memory.recall(FILE) is None
    assert (tmp_path / "digests").is_dir()


def test_while_another_process_writes_it_goes_on_without(tmp_path: Path, open_memory: Open) -> None:
    memory = open_memory(tmp_path / "digests")
    memory.remember(FILE, "digest")
    other = sqlite3.connect(tmp_path / "digests", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    memory.remember(FILE, "other")
    assert memory.recall(FILE) == "digest"
    other.execute("COMMIT")
    other.close()
    memory.remember(FILE, "other")
    assert memory.recall(FILE) == "other"


def test_after_closing_it_knows_nothing_and_complains_not(tmp_path: Path, open_memory: Open) -> None:
    memory = open_memory(tmp_path / "digests")
    memory.remember(FILE, "digest")
    memory.close()
    memory.remember(FILE, "digest")
    assert memory.recall(FILE) is None


def remember_many(file: Path, first: int) -> None:
    memory = DigestMemory(file)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda inode: memory.remember(FILE._replace(inode=inode), f"{inode}"), range(first, first + 100)))
    memory.close()


def test_many_threads_of_several_processes_share_it(tmp_path: Path, open_memory: Open) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=remember_many, args=(tmp_path / "digests", first)) for first in (0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    memory = open_memory(tmp_path / "digests")
    known = [memory.recall(FILE._replace(inode=inode)) for inode in range(200)]
    assert set(known) <= {None, *(f"{inode}" for inode in range(200))}
    assert sum(digest is not None for digest in known) > 100
