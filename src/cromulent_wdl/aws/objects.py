"""S3 objects: read, written and listed; files up and down side by side, by boto3's own transfer manager."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from s3transfer.manager import TransferManager

__all__ = [
    "Found",
    "Transfer",
    "delete",
    "download",
    "find",
    "folders",
    "get",
    "listing",
    "put",
    "split",
    "upload",
]

_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_PART = 50 * 2**20
"""Bytes of a part; a file of more is sent in parts, of which S3 takes 10,000 (boto3 makes them larger if it must)."""
_AT_ONCE = 24
"""Requests at one time: enough for small files over a long way, few enough for a laptop's uplink."""

_DELETED_AT_ONCE = 1000

Told = Callable[[int], None]
"""Hears of each number of bytes that have come through."""


@dataclass(frozen=True)
class Found:
    """An object that is there."""

    key: str
    size: int
    etag: str
    """What S3 calls this content; another content has another."""


@dataclass(frozen=True)
class Transfer:
    """One file and its object, whichever way it goes."""

    path: Path
    bucket: str
    key: str
    found: Found | None = None
    """What is known of an object that is to be downloaded; S3 is asked first where nothing is."""


def split(address: str) -> tuple[str, str]:
    """Return the bucket and the key of an `s3://` address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def get(access: Access, bucket: str, key: str) -> bytes | None:
    """Return an object's content, or None where there is none."""
    try:
        with asking(f"reading s3://{bucket}/{key}"):
            return _client(access).get_object(Bucket=bucket, Key=key)["Body"].read()
    except AwsError as error:
        if error.code in _ABSENT:
            return None
        raise


def put(access: Access, bucket: str, key: str, content: bytes) -> None:
    """Write an object whole."""
    with asking(f"writing s3://{bucket}/{key}"):
        _client(access).put_object(Bucket=bucket, Key=key, Body=content)


def find(access: Access, bucket: str, key: str) -> Found | None:
    """Return what is known of an object without reading it, or None where there is none."""
    try:
        with asking(f"looking at s3://{bucket}/{key}"):
            answer = _client(access).head_object(Bucket=bucket, Key=key)
    except AwsError as error:
        if error.code in _ABSENT:
            return None
        raise
    return Found(key, answer["ContentLength"], answer["ETag"])


def listing(access: Access, bucket: str, prefix: str, *, after: str = "") -> Iterator[Found]:
    """Yield the objects whose keys begin so, in the order of their keys; pages are asked for as they are wanted."""
    more: dict[str, Any] = {"StartAfter": after} if after else {}
    while True:
        with asking(f"listing s3://{bucket}/{prefix}"):
            page: Any = _client(access).list_objects_v2(Bucket=bucket, Prefix=prefix, **more)
        yield from (Found(each["Key"], each["Size"], each["ETag"]) for each in page.get("Contents", ()))
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def folders(access: Access, bucket: str, prefix: str) -> Iterator[str]:
    """Yield what stands between the prefix and the next `/` of the keys that begin with it, each once, in order."""
    more: dict[str, Any] = {}
    while True:
        with asking(f"listing s3://{bucket}/{prefix}"):
            page: Any = _client(access).list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", **more)
        yield from (each["Prefix"][len(prefix) : -1] for each in page.get("CommonPrefixes", ()))
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def delete(access: Access, bucket: str, keys: Sequence[str]) -> None:
    """Delete objects, a thousand a request; in a bucket with versions they become older versions."""
    for start in range(0, len(keys), _DELETED_AT_ONCE):
        part = keys[start : start + _DELETED_AT_ONCE]
        with asking(f"deleting {len(part)} objects of s3://{bucket}"):
            answer = _client(access).delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in part], "Quiet": True}
            )
        if refused := answer.get("Errors"):
            raise AwsError(
                f"S3 did not delete {refused[0].get('Key')}: {refused[0].get('Message')}",
                code=str(refused[0].get("Code", "")),
            )


def upload(access: Access, transfers: Iterable[Transfer], told: Told | None = None) -> None:
    """Write files to their objects, side by side; large ones in parts. The first that fails ends the rest."""
    with _manager(access) as manager:
        futures = [
            manager.upload(str(each.path), each.bucket, each.key, subscribers=_subscribers(told)) for each in transfers
        ]
        _finish(manager, futures, "uploading")


def download(access: Access, transfers: Iterable[Transfer], told: Told | None = None) -> None:
    """Write objects to their files, side by side; a file has its name once it is whole."""
    with _manager(access) as manager:
        futures = [
            manager.download(each.bucket, each.key, str(each.path), subscribers=_subscribers(told, each.found))
            for each in transfers
        ]
        _finish(manager, futures, "downloading")


def _finish(manager: TransferManager, futures: list[Any], what: str) -> None:
    try:
        for future in futures:
            with asking(what):
                future.result()
    except BaseException:
        manager.shutdown(cancel=True)
        raise


def _manager(access: Access) -> TransferManager:
    from s3transfer.manager import TransferConfig, TransferManager

    config = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, max_request_concurrency=_AT_ONCE)
    return TransferManager(_client(access), config)


def _subscribers(told: Told | None, found: Found | None = None) -> list[Any]:
    from s3transfer.subscribers import BaseSubscriber

    class _Known(BaseSubscriber):
        def on_queued(self, future: Any, **_: object) -> None:
            if found is not None:
                future.meta.provide_transfer_size(found.size)
                future.meta.provide_object_etag(found.etag)

        def on_progress(self, future: object, bytes_transferred: int, **_: object) -> None:
            if told is not None:
                told(bytes_transferred)

    return [_Known()]


def _client(access: Access) -> S3Client:
    client: S3Client = access.client("s3")
    return client
