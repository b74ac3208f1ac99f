"""Content digests: what they tell apart, what they remember, and what they notice."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path

import pytest

from cromulent_wdl.errors import FileUnstable
from cromulent_wdl.storage.digest_memory import DigestMemory
from cromulent_wdl.storage.digests import Digests, fingerprint
from tests.fakes.clocks import FakeClock

OLD = 1_600_000_000


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def later(path: Path, seconds: float = 60) -> FakeClock:
    """Return a clock at which the file has been left alone for a while."""
    return FakeClock(path.stat().st_ctime + seconds)


class NoMemory(DigestMemory):
    """Counts what is asked and given, and knows what it is told to."""

    def __init__(self) -> None:
        self.known: dict[object, str] = {}

    def recall(self, identity: object) -> str | None:
        return self.known.get(identity)

    def remember(self, identity: object, digest: str) -> None:
        self.known[identity] = digest


def test_a_files_digest_depends_on_its_content_alone(tmp_path: Path) -> None:
    digests = Digests()
    one = digests.of_file(str(written(tmp_path / "a", "same")))
    two = digests.of_file(str(written(tmp_path / "sub" / "b", "same")))
    other = digests.of_file(str(written(tmp_path / "c", "samf")))
    assert one == two != other
    assert len(one) == 64


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_the_digest_is_blake2b_whatever_the_size(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "a").write_bytes(content)
    assert Digests().of_file(str(tmp_path / "a")) == blake2b(content, digest_size=32).hexdigest()


def test_what_is_remembered_is_not_read_again(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "content")
    memory = NoMemory()
    digest = Digests(memory, later(file)).of_file(str(file))
    assert list(memory.known.values()) == [digest]
    memory.known = dict.fromkeys(memory.known, "from memory")
    assert Digests(memory, later(file)).of_file(str(file)) == "from memory"


def test_a_file_touched_a_moment_ago_is_read_each_time(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "content")
    memory = NoMemory()
    digests = Digests(memory, later(file, 0.5))
    assert digests.of_file(str(file)) == digests.of_file(str(file))
    assert memory.known == {}


def test_a_time_stamp_set_back_does_not_deceive(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "one")
    os.utime(file, (OLD, OLD))
    digests = Digests(clock=later(file))
    before = digests.of_file(str(file))
    file.write_text("two")
    os.utime(file, (OLD, OLD))
    assert digests.of_file(str(file)) != before


class ClockThatWrites(FakeClock):
    """Changes a file whenever somebody looks at the time, as `Digests` does before it reads."""

    def __init__(self, file: Path, times: int) -> None:
        super().__init__(file.stat().st_ctime + 60)
        self.file = file
        self.times = times

    def now(self) -> float:
        if self.times > 0:
            self.times -= 1
            self.file.write_text(f"version {self.times}")
            os.utime(self.file, ns=(OLD, OLD + self.times))
        return super().now()


def test_a_file_that_changes_under_the_reader_is_read_again(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "first")
    digest = Digests(clock=ClockThatWrites(file, 2)).of_file(str(file))
    assert digest == Digests().of_file(str(written(tmp_path / "b", "version 0")))


def test_a_file_that_never_rests_is_an_error(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "first")
    with pytest.raises(FileUnstable, match="kept changing"):
        Digests(clock=ClockThatWrites(file, 100)).of_file(str(file))


class ClockThatHoldsReaders(FakeClock):
    """Counts the readers of files, and holds each long enough for others to come."""

    readers = 0

    def now(self) -> float:
        self.readers += 1
        threading.Event().wait(0.2)
        return super().now()


def test_threads_that_want_one_file_share_one_reading(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "content")
    clock = ClockThatHoldsReaders(file.stat().st_ctime + 60)
    digests = Digests(clock=clock)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(digests.of_file, [str(file)] * 8))
    assert len(set(answers)) == 1
    assert clock.readers == 1


class ClockThatDeletes(ClockThatHoldsReaders):
    """Removes a file before its reader has opened it."""

    def __init__(self, file: Path) -> None:
        super().__init__(file.stat().st_ctime + 60)
        self.file = file

    def now(self) -> float:
        now = super().now()
        self.file.unlink(missing_ok=True)
        return now


def test_nobody_waits_for_ever_on_a_reader_that_fails(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "content")
    digests = Digests(clock=ClockThatDeletes(file))
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(digests.of_file, str(file)) for _ in range(4)]
        assert {type(answer.exception(timeout=30)) for answer in answers} == {FileNotFoundError}


def test_reading_a_large_file_stops_when_the_run_does(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(5 << 20))
    asked: list[bool] = []

    def stopping() -> bool:
        asked.append(len(asked) == 2)
        return asked[-1]

    with pytest.raises(InterruptedError):
        Digests(stopping=stopping).of_file(str(tmp_path / "a"))
    assert asked == [False, False, True]


def test_what_is_no_regular_file_has_no_digest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            Digests().of_file(str(path))
    with pytest.raises(FileNotFoundError):
        Digests().of_file(str(tmp_path / "absent"))


def tree(root: Path) -> Path:
    written(root / "a.txt", "a")
    written(root / "sub" / "b.txt", "b")
    (root / "empty").mkdir()
    (root / "link").symlink_to("a.txt")
    return root


def replace_by_link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def replace_by_file(path: Path, content: str) -> None:
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    path.write_text(content)


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "sub" / "b.txt").write_text("c"),
    "a name": lambda root: (root / "a.txt").rename(root / "z.txt"),
    "a file more": lambda root: (root / "more").write_text(""),
    "an empty directory less": lambda root: os.rmdir(root / "empty"),
    "a place in the tree": lambda root: (root / "sub" / "b.txt").rename(root / "b.txt"),
    "a link's target": lambda root: replace_by_link(root / "link", "sub/b.txt"),
    "a file for a link": lambda root: replace_by_file(root / "link", "a"),
    "a file for a directory": lambda root: replace_by_file(root / "empty", ""),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_trees_digest_and_fingerprint_change_with(tmp_path: Path, what: str) -> None:
    root = str(tree(tmp_path / "root"))
    digests = Digests()
    before = digests.of_directory(root), fingerprint(root)
    CHANGES[what](Path(root))
    after = digests.of_directory(root), fingerprint(root)
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_equal_trees_have_equal_digests_and_modes_do_not_count(tmp_path: Path) -> None:
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    (two / "a.txt").chmod(0o755)
    assert Digests().of_directory(str(one)) == Digests().of_directory(str(two))
    assert fingerprint(str(one)) != fingerprint(str(two))


def test_a_link_out_of_the_tree_counts_with_what_it_leads_to(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside" / "file", "before")
    root = tree(tmp_path / "root")
    (root / "out").symlink_to(outside)
    (root / "outs").symlink_to(outside.parent)
    before = Digests().of_directory(str(root))
    outside.write_text("after")
    assert Digests().of_directory(str(root)) != before


def test_links_that_lead_nowhere_or_in_a_circle_do_no_harm(tmp_path: Path) -> None:
    root = tree(tmp_path / "root")
    (root / "dangling").symlink_to("nowhere")
    (root / "itself").symlink_to("itself")
    (root / "sub" / "up").symlink_to("..")
    os.mkfifo(root / "pipe")
    assert Digests().of_directory(str(root)) == Digests().of_directory(str(root))


def test_a_tree_that_is_written_to_is_an_error(tmp_path: Path) -> None:
    root = tree(tmp_path / "root")
    with pytest.raises(FileUnstable):
        Digests(clock=ClockThatWrites(root / "a.txt", 100)).of_directory(str(root))


def test_a_fingerprint_tells_a_file_from_its_copy(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "text")
    before = fingerprint(str(file))
    assert fingerprint(str(file)) == before
    copy = written(tmp_path / "copy", "text")
    os.utime(copy, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    os.replace(copy, file)
    assert fingerprint(str(file)) != before


def test_a_link_that_leads_out_of_a_tree_and_above_it_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "beside").write_bytes(b"1")
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "up").symlink_to("../..")
    digests = Digests()
    before, held = digests.directory(str(tmp_path / "tree"))
    (tmp_path / "beside").write_bytes(b"2")

    assert [each.name for each in held] == ["deep"]
    assert digests.of_directory(str(tmp_path / "tree")) == before
