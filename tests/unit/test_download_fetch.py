"""Fetching a file by HTTP from servers that do not always behave."""

from __future__ import annotations

import os
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import pytest

from cromulent_wdl.errors import FetchFailed
from cromulent_wdl.storage.web_fetch import Patience, fetch
from tests.fakes.clocks import FakeClock
from tests.fakes.http_server import Answer, Behaviour, in_turn, serving

CONTENT = bytes(range(256)) * 4000
PATIENCE = Patience(attempts=3, pause=0.001, silence=5)


def never() -> bool:
    return False


def fetched(uri: str, target: Path, cancelled: Callable[[], bool] = never, clock: FakeClock | None = None) -> bytes:
    """Fetch, and see that nothing else is left lying about."""
    try:
        fetch(uri, target, cancelled, PATIENCE, clock or FakeClock())
    finally:
        assert set(os.listdir(target.parent)) <= {target.name}
    return target.read_bytes()


def breaking_off(breaks: list[int], tag: str = '"1"', ranges: bool = True) -> Behaviour:
    """Break off at these offsets, one a request, then send all; go on where asked if `ranges`."""
    pending = list(breaks)

    def answer(path: str, headers: Message) -> Answer:
        asked = headers.get("Range", "bytes=0-").removeprefix("bytes=")
        start = int(asked.rstrip("-")) if ranges and headers.get("If-Range", tag) == tag else 0
        end = pending.pop(0) if pending else len(CONTENT)
        given = {"ETag": tag} if tag else {}
        if start:
            given["Content-Range"] = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        return Answer(206 if start else 200, CONTENT[start:end], given, length=len(CONTENT) - start)

    return answer


def test_a_file_comes_as_it_is(tmp_path: Path) -> None:
    with serving(lambda path, headers: Answer(body=CONTENT, headers={"Content-Encoding": "gzip"})) as server:
        assert fetched(f"{server.url}/a.gz", tmp_path / "a.gz") == CONTENT
    assert server.requests[0]["Accept-Encoding"] == "identity"


def test_a_file_of_unannounced_length_comes_whole(tmp_path: Path) -> None:
    with serving(lambda path, headers: Answer(body=CONTENT, length=-1)) as server:
        assert fetched(f"{server.url}/a", tmp_path / "a") == CONTENT


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    with serving(lambda path, headers: Answer()) as server:
        assert fetched(f"{server.url}/a", tmp_path / "a") == b""


def test_redirections_are_followed(tmp_path: Path) -> None:
    def answer(path: str, headers: Message) -> Answer:
        return Answer(body=CONTENT) if path == "/there" else Answer(302, headers={"Location": "/there"})

    with serving(answer) as server:
        assert fetched(f"{server.url}/here", tmp_path / "a") == CONTENT
    assert server.paths == ["/here", "/there"]


def test_what_broke_off_goes_on_from_there(tmp_path: Path) -> None:
    clock, breaks = FakeClock(), [300_000, 700_001, 700_002]
    with serving(breaking_off(breaks)) as server:
        assert fetched(f"{server.url}/a", tmp_path / "a", clock=clock) == CONTENT
    assert [request["Range"] for request in server.requests] == [
        None,
        "bytes=300000-",
        "bytes=700001-",
        "bytes=700002-",
    ]
    assert {request["If-Range"] for request in server.requests[1:]} == {'"1"'}
    assert clock.slept == [0.001] * 3


def test_it_gets_there_as_long_as_it_gets_further(tmp_path: Path) -> None:
    steps = list(range(50_000, 1_000_000, 50_000))
    with serving(breaking_off(steps)) as server:
        assert fetched(f"{server.url}/a", tmp_path / "a") == CONTENT
    assert len(server.requests) == len(steps) + 1


@pytest.mark.parametrize(
    ("tag", "ranges"), [('"1"', False), ("", True), ('W/"1"', True)], ids=["no ranges", "no tag", "weak tag"]
)
def test_a_part_that_may_not_fit_is_not_gone_on_with(tmp_path: Path, tag: str, ranges: bool) -> None:
    with serving(breaking_off([300_000, 600_000], tag, ranges)) as server:
        assert fetched(f"{server.url}/a", tmp_path / "a") == CONTENT
    if ranges:
        assert [request["Range"] for request in server.requests] == [None] * 3


def test_a_file_replaced_on_the_server_is_fetched_anew(tmp_path: Path) -> None:
    with serving(in_turn(breaking_off([300_000]), Answer(body=b"new", headers={"ETag": '"2"'}))) as server:
        assert fetched(f"{server.url}/a", tmp_path / "a") == b"new"


def test_a_file_that_became_shorter_is_fetched_anew(tmp_path: Path) -> None:
    with serving(in_turn(breaking_off([300_000]), Answer(416), Answer(body=b"new"))) as server:
        assert fetched(f"{server.url}/a", tmp_path / "a") == b"new"


def test_another_part_than_asked_for_is_refused(tmp_path: Path) -> None:
    wrong = Answer(206, b"x", {"Content-Range": f"bytes 7-7/{len(CONTENT)}"})
    with (
        serving(in_turn(breaking_off([300_000]), wrong)) as server,
        pytest.raises(FetchFailed, match="another part"),
    ):
        fetched(f"{server.url}/a", tmp_path / "a")


def test_what_always_breaks_off_is_given_up_with_waits_that_grow(tmp_path: Path) -> None:
    clock = FakeClock()
    with serving(breaking_off([300_000] * 99, ranges=False)) as server, pytest.raises(FetchFailed) as failed:
        fetched(f"{server.url}/a", tmp_path / "a", clock=clock)
    assert str(failed.value).startswith(f"{server.url}/a broke off again and again after 300 KB of 1 MB: ")
    assert len(server.requests) == 1 + PATIENCE.attempts
    assert clock.slept == [0.001, 0.002, 0.004]


def test_passing_trouble_passes(tmp_path: Path) -> None:
    with serving(in_turn(Answer(503), Answer(503), Answer(body=CONTENT))) as server:
        assert fetched(f"{server.url}/a", tmp_path / "a") == CONTENT


@pytest.mark.parametrize(("status", "said", "times"), [(404, "404 Not Found", 1), (503, "503 Service Unavailable", 4)])
def test_a_refusal_names_the_uri_and_the_status(tmp_path: Path, status: int, said: str, times: int) -> None:
    with serving(lambda path, headers: Answer(status)) as server, pytest.raises(FetchFailed) as failed:
        fetched(f"{server.url}/a", tmp_path / "a")
    assert str(failed.value) == f"{server.url}/a answered {said}"
    assert len(server.requests) == times


def test_where_nobody_answers_the_reason_is_plain(tmp_path: Path) -> None:
    with serving(lambda path, headers: Answer()) as server:
        pass
    with pytest.raises(FetchFailed) as failed:
        fetched(f"{server.url}/a", tmp_path / "a")
    assert str(failed.value).startswith(f"{server.url}/a cannot be fetched: ")
    assert str(failed.value).endswith("Connection refused")


def test_an_address_that_is_none_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match=r"^http:// cannot be fetched: No host supplied$"):
        fetched("http://", tmp_path / "a")


@pytest.mark.parametrize("looks", [0, 1, 3])
def test_cancelled_it_stops_and_leaves_nothing(tmp_path: Path, looks: int) -> None:
    left = [False] * looks + [True] * 100
    with serving(lambda path, headers: Answer(body=CONTENT)) as server:
        with pytest.raises(FileNotFoundError):
            fetched(f"{server.url}/a", tmp_path / "a", lambda: left.pop(0))
        assert len(left) > 90
    assert not (tmp_path / "a").exists()


def test_where_it_cannot_be_written_the_system_says_why(tmp_path: Path) -> None:
    with serving(lambda path, headers: Answer(body=CONTENT)) as server, pytest.raises(FileNotFoundError):
        fetch(f"{server.url}/a", tmp_path / "absent" / "a", never, PATIENCE)
