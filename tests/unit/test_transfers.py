"""How files are cut, how much is under way at once, and what becomes of what S3 says, without S3."""

from __future__ import annotations

import threading
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cromulent_wdl.aws.access import Access
from cromulent_wdl.aws.objects import Found
from cromulent_wdl.aws.transfers import Transfer, download
from cromulent_wdl.aws.transfers.refusals import Abandoned, Said, failure
from cromulent_wdl.aws.transfers.room import Pace, Room
from cromulent_wdl.aws.transfers.sizes import cuts
from cromulent_wdl.errors import AwsDenied, AwsError, AwsThrottled, AwsUnreachable, CredentialsError
from cromulent_wdl.storage.downloads import Wanted, fetch
from tests.fakes.http_server import Answer, in_turn, serving

MEBIBYTE = 1 << 20
TEBIBYTE = 1 << 40


@given(some.integers(1, 48 * TEBIBYTE // 10))
def test_a_file_is_cut_as_s3_takes_it(size: int) -> None:
    pieces = cuts(size)

    assert [piece.number for piece in pieces] == list(range(1, len(pieces) + 1))
    assert [piece.start for piece in pieces[1:]] == [piece.start + piece.size for piece in pieces[:-1]]
    assert sum(piece.size for piece in pieces) == size
    assert len(pieces) <= 10_000
    assert all(5 * MEBIBYTE <= piece.size <= 5 << 30 for piece in pieces[:-1])


def test_two_gigabytes_are_forty_parts() -> None:
    assert len(cuts(2000 * MEBIBYTE)) == 40


def test_there_is_room_for_so_many_and_so_much_and_for_a_large_one_alone() -> None:
    room = Room(2, 10)
    room.enter(100)
    waiting = threading.Thread(target=room.enter, args=(1,), daemon=True)
    waiting.start()
    waiting.join(0.05)
    kept_out = waiting.is_alive()
    room.leave(100)
    waiting.join(60)
    room.enter(9)

    assert kept_out
    assert not waiting.is_alive()
    room.close()
    with pytest.raises(Abandoned):
        room.enter(0)


def test_more_are_under_way_until_the_line_is_full() -> None:
    def settled(seconds: Callable[[int], float]) -> int:
        pace = Pace(8)
        for _ in range(50):
            pace.came(8 * MEBIBYTE, seconds(pace.at_once), pace.at_once)
        return pace.at_once

    assert settled(lambda at_once: 0.1) == 8
    assert settled(lambda at_once: 10.0) == 8  # each connection has so much, however many there are
    assert settled(lambda at_once: 10.0 * at_once) == 3  # they share it


def said(status: int, code: str, message: str = "it says so") -> Said:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Said(RuntimeError("of the runtime's"), status, {}, body)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", AwsDenied),
        (403, "ExpiredToken", CredentialsError),
        (403, "InvalidAccessKeyId", CredentialsError),
        (404, "NoSuchBucket", AwsError),
        (503, "SlowDown", AwsError),
        (429, "TooManyRequestsException", AwsThrottled),
    ],
)
def test_what_s3_refuses_is_the_same_error_as_by_boto3(status: int, code: str, kind: type[Exception]) -> None:
    error = failure("uploading s3://b/k", said(status, code, "a &amp; b"), None)

    assert type(error) is kind
    assert "uploading s3://b/k" in str(error)
    assert "a & b" in str(error)


def test_no_answer_is_told_from_no_credentials() -> None:
    unsigned = CredentialsError("log in")
    lost = type("Lost", (Exception,), {"name": "AWS_AUTH_CREDENTIALS_PROVIDER_DELEGATE_FAILURE", "message": "no"})()

    assert isinstance(failure("downloading", Said(lost), None), AwsUnreachable)
    assert failure("downloading", Said(lost), unsigned) is unsigned
    assert isinstance(failure("downloading", Said(OSError(28, "No space left on device")), None), OSError)


def test_a_bucket_in_another_region_is_asked_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Answer(301, b"<Error><Code>PermanentRedirect</Code></Error>", {"x-amz-bucket-region": "eu-west-3"})
    there = Answer(206, b"abc", {"Content-Range": "bytes 0-2/3", "ETag": '"e"'})
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")):
        monkeypatch.setenv(name, value)
    with serving(in_turn(elsewhere, there)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        access = Access(region="us-east-1")
        download(access, [Transfer(tmp_path / "file", "bucket", "key", Found("key", 3, '"e"'))])

    signed = [headers["Authorization"].split("/")[2] for headers in server.requests]
    assert signed == ["us-east-1", "eu-west-3"]
    assert (tmp_path / "file").read_bytes() == b"abc"


@pytest.mark.parametrize("credentials", ["denied", "none"])
@pytest.mark.parametrize("size", [3, 17 * MEBIBYTE])
def test_what_anybody_may_read_needs_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: str, size: int
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "AKIAEXAMPLE")
        if credentials == "none":
            monkeypatch.delenv(name)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    content = b"x" * size

    def answer(path: str, headers: Message) -> Answer:
        if "Authorization" in headers:
            return Answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        if "Range" not in headers:
            return Answer(200, content, {"ETag": '"e"'})
        first, last = (int(text) for text in headers["Range"].removeprefix("bytes=").split("-"))
        return Answer(206, content[first : last + 1], {"ETag": '"e"'})

    with serving(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        access = Access(region="eu-west-3" if credentials == "denied" else None)
        (place,) = fetch(access, [Wanted("s3://bucket/a/key")], tmp_path / "inputs").values()

    assert place.name == "key" and place.read_bytes() == content


def test_a_range_that_breaks_off_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")):
        monkeypatch.setenv(name, value)
    content = bytes(range(256)) * (17 * MEBIBYTE // 256)

    def answer(path: str, headers: Message) -> Answer:
        first, last = (int(text) for text in headers["Range"].removeprefix("bytes=").split("-"))
        body = content[first : last + 1]
        if first == 0:
            return Answer(206, body[: 2 * MEBIBYTE], {"ETag": '"e"'}, length=len(body))
        return Answer(206, body, {"ETag": '"e"'})

    with serving(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        access = Access(region="us-east-1")
        download(access, [Transfer(tmp_path / "file", "bucket", "key", Found("key", len(content), '"e"'))])

    assert (tmp_path / "file").read_bytes() == content
    assert len(server.requests) == len(cuts(len(content))) + 1


def test_what_does_not_come_whole_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")):
        monkeypatch.setenv(name, value)
    denied = Answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
    with serving(lambda path, headers: denied) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        for size in (3, 17 * MEBIBYTE):
            with pytest.raises(AwsDenied):
                access = Access(region="us-east-1")
                download(access, [Transfer(tmp_path / "file", "bucket", "key", Found("key", size, '"e"'))])

    assert not list(tmp_path.iterdir())
