import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from cromulent_wdl.errors import JournalError
from cromulent_wdl.model import CallEnded, CallQueued, Ending, Event, RunEnded, from_json, to_json
from cromulent_wdl.runs.journal import JournalReader, JournalWriter
from tests.fakes.journals import failed_run

GOLDEN = Path(__file__).parent / "golden" / "journal.jsonl"
GOLDEN_ON_FARGATE = GOLDEN.with_name("journal-fargate.jsonl")


def _written(path: Path, *events: Event) -> JournalWriter:
    writer = JournalWriter(path)
    for event in events:
        writer.append(event)
    return writer


def _read(path: Path) -> list[Event]:
    return list(JournalReader(path).new())


@pytest.mark.parametrize("golden", [GOLDEN, GOLDEN_ON_FARGATE], ids=lambda path: path.stem)
def test_a_golden_journal_is_what_is_written_and_read(golden: Path) -> None:
    assert [to_json(event) for event in _read(golden)] == golden.read_text(encoding="utf-8").splitlines()


def test_every_kind_of_event_is_in_a_golden_journal() -> None:
    read = {type(event) for golden in (GOLDEN, GOLDEN_ON_FARGATE) for event in _read(golden)}
    assert read == set(get_args(Event))


def test_an_event_is_in_the_file_before_listeners_hear_of_it(tmp_path: Path) -> None:
    path = tmp_path / "j"
    heard: list[tuple[Event, Event]] = []
    writer = JournalWriter(path)
    writer.listen(lambda event: heard.append((event, _read(path)[-1])))
    events: list[Event] = [CallQueued(1.0, "a", "a"), CallEnded(2.0, "a", Ending.OK)]
    for event in events:
        writer.append(event)
    assert heard == [(event, event) for event in events]


def test_threads_never_tear_each_others_lines(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "j")
    heard: list[Event] = []
    writer.listen(heard.append)

    def write(number: int) -> None:
        for at in range(200):
            writer.append(CallQueued(at, f"a[{number}]", "x" * 500))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    read = _read(tmp_path / "j")
    assert len(read) == 800
    assert read == heard, "listeners hear the order of the file"


def test_a_killed_head_loses_no_event_that_it_appended(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from cromulent_wdl.model import CallQueued; from cromulent_wdl.runs.journal import JournalWriter\n"
        "writer = JournalWriter(Path(sys.argv[1]))\n"
        "for i in range(50): writer.append(CallQueued(i, 'a', 'a'))\n"
        "os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path / "j")])
    assert ended.returncode == -signal.SIGKILL
    assert len(_read(tmp_path / "j")) == 50


@pytest.mark.parametrize("kept", range(1, 40, 7))
def test_a_torn_end_is_passed_over_and_taken_away_by_the_next_head(tmp_path: Path, kept: int) -> None:
    path, whole, torn = tmp_path / "j", CallQueued(1.0, "a", "a"), to_json(CallQueued(2.0, "b", "b"))
    _written(path, whole)
    with path.open("a") as file:
        file.write(torn[:kept])
    assert _read(path) == [whole]
    third = CallQueued(3.0, "c", "c")
    _written(path, third)
    assert _read(path) == [whole, third]


def test_a_torn_end_longer_than_a_block_is_taken_away_whole(tmp_path: Path) -> None:
    path, whole = tmp_path / "j", CallQueued(1.0, "a", "a")
    _written(path, whole)
    with path.open("a") as file:
        file.write('{"v":1,"message":"' + "x" * 200_000)
    _written(path)
    assert path.read_text() == to_json(whole) + "\n"
    path.write_text("x" * 200_000)
    _written(path)
    assert path.read_text() == ""


def test_a_reader_goes_on_where_it_was_and_waits_for_a_line_to_be_whole(tmp_path: Path) -> None:
    path, first, second = tmp_path / "j", CallQueued(1.0, "a", "a"), CallQueued(2.0, "b", "b")
    _written(path, first)
    reader, line = JournalReader(path), to_json(second) + "\n"
    assert list(reader.new()) == [first]
    with path.open("a") as file:
        file.write(line[:10])
        file.flush()
        assert list(reader.new()) == []
        file.write(line[10:])
    assert list(reader.new()) == [second]
    assert list(reader.new()) == []


def test_the_events_of_the_run_alone_can_be_read(tmp_path: Path) -> None:
    events = failed_run(1.0)
    _written(tmp_path / "j", *events, CallQueued(9.0, "a", '"event":"run_ended"'))
    assert list(JournalReader(tmp_path / "j").new(of_run_only=True)) == [events[0], events[-1]]


def test_unknown_events_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text('{"v":1,"at":1,"event":"comet_seen"}\n' + to_json(CallQueued(1.0, "a", "a")) + "\n")
    assert _read(path) == [CallQueued(1.0, "a", "a")]


@pytest.mark.parametrize("line", ["nonsense", '{"v":2,"at":1,"event":"run_ended"}', "\udcff"])
def test_what_is_no_journal_is_refused_with_the_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "j"
    path.write_bytes(
        (to_json(CallQueued(1.0, "a", "a")) + "\n").encode() + line.encode(errors="surrogateescape") + b"\n"
    )
    with pytest.raises(JournalError, match=r"line 2 of .*/j cannot be read"):
        _read(path)


def test_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        _read(tmp_path / "j")
    with pytest.raises(JournalError, match="cannot be written"):
        JournalWriter(tmp_path / "nowhere" / "j")


def test_a_file_name_that_is_no_utf8_comes_back_as_it_was(tmp_path: Path) -> None:
    event = CallQueued(1.0, os.fsdecode(b"caf\xe9"), "naïve ✔")
    _written(tmp_path / "j", event)
    assert _read(tmp_path / "j") == [event]


def test_row_32_a_full_disk_loses_events_but_neither_the_run_nor_the_journal(tmp_path: Path) -> None:
    path, small = tmp_path / "j", CallQueued(1.0, "a", "a")
    heard: list[Event] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = _written(path, small)
    writer.listen(heard.append)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))  # the kernel writes a part of a line, then nothing
        lost = msgspec.structs.replace(small, name="x" * 500)
        writer.append(lost)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    writer.append(small)
    assert writer.lost == 1
    assert heard == [lost, small]
    assert _read(path) == [small, small]


def test_events_after_the_end_go_nowhere(tmp_path: Path) -> None:
    writer = _written(tmp_path / "j", RunEnded(1.0, Ending.OK))
    writer.close()
    other = os.open(tmp_path / "other", os.O_WRONLY | os.O_CREAT)  # may get the number that the journal had
    writer.append(CallQueued(2.0, "a", "a"))
    writer.close()
    os.close(other)
    assert (tmp_path / "other").read_bytes() == b""
    assert _read(tmp_path / "j") == [RunEnded(1.0, Ending.OK)]
    assert from_json((tmp_path / "j").read_text()) == RunEnded(1.0, Ending.OK)
