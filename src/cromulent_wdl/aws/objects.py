"""S3 objects: read, written and listed. Whole files go by `transfers/`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = [
    "NO_BUCKET",
    "Found",
    "delete",
    "find",
    "folders",
    "get",
    "listing",
    "put",
    "split",
]

NO_BUCKET = "NoSuchBucket"
"""AWS's code where the bucket itself is not there."""
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_DELETED_AT_ONCE = 1000


@dataclass(frozen=True)
class Found:
    """An object that is there."""

    key: str
    size: int
    etag: str
    """What S3 calls this content; another content has another."""


def split(address: str) -> tuple[str, str]:
    """Return the bucket and the key of an `s3://` address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def get(access: Access, bucket: str, key: str, *, patient: bool = True) -> bytes | None:
    """Return an object's content, or None where there is none."""
    try:
        with asking(f"reading s3://{bucket}/{key}"):
            return _client(access, patient=patient).get_object(Bucket=bucket, Key=key)["Body"].read()
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


_UNWANTED = re.compile(rb"<(LastModified|StorageClass|ChecksumAlgorithm|ChecksumType)>[^<]*</\1>")


def _spare_unwanted(response_dict: dict[str, Any], **_: Any) -> None:
    """Take out of a listing what nobody here reads: botocore takes most of its time for the times."""
    response_dict["body"] = _UNWANTED.sub(b"", response_dict["body"])


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


def _client(access: Access, *, patient: bool = True) -> S3Client:
    client: S3Client = access.client("s3", patient=patient)
    client.meta.events.register("before-parse.s3.ListObjectsV2", _spare_unwanted, unique_id="cromulent-listing")
    return client
