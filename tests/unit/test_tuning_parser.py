"""Parser tables kept on disk: the same parsers as before, and no file is trusted that others may have written."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import lark
import pytest
import WDL

from cromulent_wdl.plugin.tuning.parser_tables import PARSER
from tests.fakes.second_copy import second_copy

SOURCE = """version 1.1
# above
task greet { # beside
  input { String name = "a" + "b" }
  command <<< echo ~{name} >>>
  output { String said = read_string(stdout()) }
}
"""


class CountingLark:
    """The lark module as miniwdl's parser sees it; counts how often tables are derived."""

    def __init__(self) -> None:
        self.derived = 0

    def Lark(self, *arguments: Any, **options: Any) -> lark.Lark:
        self.derived += 1
        return lark.Lark(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(lark, name)


def parse_in_new_process(source: str = SOURCE) -> tuple[int, WDL.Tree.Document]:
    """Parse as a process does that has parsed nothing yet; return also how often it derived tables."""
    parser = second_copy("WDL._parser")
    parser.__dict__["lark"] = counting = CountingLark()
    PARSER.replace(parser)
    document = parser.parse_document(source)
    return counting.derived, document


def shown(document: WDL.Tree.Document) -> list[object]:
    task = document.tasks[0]
    comments = [comment and (comment.text, comment.pos.line) for comment in document.source_comments]
    return [comments, task.name, repr(task.pos), str((task.inputs or [])[0]), str(task.command), str(task.outputs[0])]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cromulent" / "grammars"


@pytest.fixture
def stored(directory: Path) -> Path:
    """The tables of one grammar, just stored."""
    assert parse_in_new_process()[0] == 1
    (file,) = directory.iterdir()
    return file


def test_the_second_process_derives_nothing_and_sees_the_same(stored: Path) -> None:
    derived, document = parse_in_new_process()
    assert derived == 0
    assert shown(document) == shown(WDL.parse_document(SOURCE))
    assert [comment.text for comment in document.source_comments if comment] == ["# above", " # beside"]


def test_syntax_errors_are_the_same(stored: Path) -> None:
    messages = []
    for parse in (parse_in_new_process, WDL.parse_document):
        with pytest.raises(WDL.Error.SyntaxError) as caught:
            parse("version 1.1\ntask greet {\n  input { String }\n}\n")
        messages.append((str(caught.value), caught.value.pos.line, caught.value.pos.column))
    assert messages[0] == messages[1]


def test_what_is_stored_is_ours_alone(stored: Path) -> None:
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert stat.S_IMODE(stored.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:-1], id="cut off"),
        pytest.param(lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:], id="one bit"),
        pytest.param(lambda content: b"\x80\x04cposix\nsystem\n", id="pickle"),
    ],
)
def test_damaged_tables_are_derived_and_stored_anew(stored: Path, damaged: Any) -> None:
    stored.write_bytes(damaged(stored.read_bytes()))
    assert parse_in_new_process()[0] == 1
    assert parse_in_new_process()[0] == 0


def test_tables_that_the_group_may_write_are_not_read(stored: Path) -> None:
    stored.chmod(0o660)
    assert parse_in_new_process()[0] == 1
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert parse_in_new_process()[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("given", ["file", "directory"])
def test_tables_of_another_user_are_not_read(stored: Path, given: str) -> None:
    os.chown(stored if given == "file" else stored.parent, 12345, -1)
    assert parse_in_new_process()[0] == 1


def test_a_link_is_not_followed(stored: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    stored.rename(elsewhere)
    stored.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert parse_in_new_process()[0] == 1
    assert not stored.is_symlink() and elsewhere.read_bytes() == before


def test_a_pipe_does_not_hang(stored: Path) -> None:
    stored.unlink()
    os.mkfifo(stored)
    assert parse_in_new_process()[0] == 1
    assert parse_in_new_process()[0] == 0


def test_a_directory_that_others_may_write_to_is_not_used(directory: Path) -> None:
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    assert parse_in_new_process()[0] == 1
    assert list(directory.iterdir()) == []


def test_a_directory_behind_a_link_is_not_used(directory: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    directory.parent.mkdir()
    directory.symlink_to(target)
    assert parse_in_new_process()[0] == 1
    assert list(target.iterdir()) == []


def test_without_a_cache_directory_it_parses_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert parse_in_new_process()[0] == 1


def test_each_version_of_the_language_has_tables_of_its_own(stored: Path) -> None:
    assert parse_in_new_process(SOURCE.replace("version 1.1", "version 1.2"))[0] == 1
    assert len(list(stored.parent.iterdir())) == 2
    shutil.rmtree(stored.parent)
    assert parse_in_new_process()[0] == 1
