"""Inputs from the web on a head's disk: each state once, and what their names tell of their content."""

from __future__ import annotations

import os
from email.message import Message
from pathlib import Path

import pytest

from cromulent_wdl.errors import FetchFailed
from cromulent_wdl.storage.digests import Digests
from cromulent_wdl.storage.downloaded import content_by_name
from cromulent_wdl.storage.web import fetch_all
from tests.fakes.http_server import Answer, serving


def test_a_state_is_fetched_once_and_another_is_another_file(tmp_path: Path) -> None:
    content, tags = {"/a b.txt": b"1", "/c.txt": b"2"}, {"/a b.txt": '"1"', "/c.txt": '"2"'}

    def answer(path: str, headers: Message) -> Answer:
        name = path.replace("%20", " ").partition("?")[0]
        return Answer(body=content[name], headers={"ETag": tags[name]})

    with serving(answer) as server:
        wanted = [f"{server.url}/a%20b.txt?x=1", f"{server.url}/c.txt"]
        first = fetch_all(wanted, tmp_path)
        asked = len(server.verbs)
        again = fetch_all(wanted, tmp_path)
        looked = server.verbs[asked:]
        content["/c.txt"], tags["/c.txt"] = b"3", '"3"'
        changed = fetch_all(wanted, tmp_path)

    assert again == first
    assert looked == ["HEAD", "HEAD"]
    assert first[wanted[0]].name == "a b.txt"
    assert first[wanted[1]].read_bytes() == b"2"
    assert changed[wanted[1]].read_bytes() == b"3"
    assert changed[wanted[0]] == first[wanted[0]]
    assert os.listdir(tmp_path / ".parts") == []
    names = {content_by_name(str(path), tmp_path) for path in (*first.values(), *changed.values())}
    assert len(names - {None}) == 3


def test_a_server_that_names_no_states_is_asked_each_time(tmp_path: Path) -> None:
    with serving(lambda path, headers: Answer(body=b"1")) as server:
        first = fetch_all([f"{server.url}/a"], tmp_path)
        again = fetch_all([f"{server.url}/a"], tmp_path)

    assert first != again
    for path in (*first.values(), *again.values()):
        assert path.read_bytes() == b"1"
        assert content_by_name(str(path), tmp_path) is None  # so it is read to know it


def test_a_refusal_leaves_nothing(tmp_path: Path) -> None:
    with serving(lambda path, headers: Answer(404)) as server, pytest.raises(FetchFailed, match="answered 404"):
        fetch_all([f"{server.url}/a"], tmp_path)

    assert os.listdir(tmp_path / ".parts") == []


def test_what_was_uploaded_by_its_content_need_not_be_read_to_be_known(tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(b"content")
    digest = Digests().of_file(str(tmp_path / "here"))
    place = tmp_path / "inputs" / digest / "here"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"whatever lies there")
    (tmp_path / "link").symlink_to(place)
    digests = Digests(named=lambda path: content_by_name(path, tmp_path / "inputs"))

    assert digests.of_file(str(place)) == digest
    assert digests.of_file(str(tmp_path / "link")) == digest
    assert digests.of_file(str(tmp_path / "here")) == digest
    (place.parent / "dir").mkdir()
    (place.parent / "dir" / "deep").write_bytes(b"1")
    assert digests.of_file(str(place.parent / "dir" / "deep")) == Digests().of_file(str(place.parent / "dir" / "deep"))
