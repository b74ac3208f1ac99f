"""S3 buckets as a deployment sees them: whether one is there, how to empty and how to delete it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Holding", "delete", "empty", "exists", "holding", "key_of"]


@dataclass(frozen=True)
class Holding:
    """What is in a bucket: versions of objects, and their bytes; `at_least` where not all were counted."""

    versions: int
    bytes: int
    at_least: bool = False


def exists(access: Access, name: str) -> bool:
    """Tell whether there is a bucket of this name that the caller may list."""
    try:
        with asking(f"looking at bucket {name}"):
            _client(access).head_bucket(Bucket=name)
    except AwsError as error:
        if error.code in ("404", "403", "NoSuchBucket"):
            return False
        raise
    return True


def key_of(access: Access, name: str) -> str:
    """Return the ARN of the KMS key that a bucket is encrypted with unless otherwise told; nothing if with S3's own."""
    with asking(f"looking at the encryption of bucket {name}"):
        answer = _client(access).get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    defaults = [each.get("ApplyServerSideEncryptionByDefault", {}) for each in answer["Rules"]]
    return next((each["KMSMasterKeyID"] for each in defaults if each.get("KMSMasterKeyID")), "")


def holding(access: Access, name: str, *, pages: int | None = 200) -> Holding:
    """Count what is in a bucket, all versions, up to so many pages of 1,000 if any; each is billed."""
    versions = total = 0
    with asking(f"counting what is in bucket {name}"):
        for number, page in enumerate(_client(access).get_paginator("list_object_versions").paginate(Bucket=name)):
            if number == pages:
                return Holding(versions, total, at_least=True)
            found = page.get("Versions", ())
            versions += len(found)
            total += sum(each["Size"] for each in found)
    return Holding(versions, total)


def empty(access: Access, name: str) -> int:
    """Delete every version of every object, a page of 1,000 in one call, and unfinished uploads; return how many."""
    client, count = _client(access), 0
    with asking(f"emptying bucket {name}"):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            found: Any = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if not found:
                continue
            objects: Any = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            answer = client.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            if refused := answer.get("Errors"):
                raise AwsError(
                    f"S3 did not delete {refused[0].get('Key')}: {refused[0].get('Message')}",
                    code=str(refused[0].get("Code", "")),
                )
            count += len(objects)
        for uploads in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
            for upload in uploads.get("Uploads", ()):
                client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    return count


def delete(access: Access, name: str) -> None:
    """Delete a bucket that is empty."""
    with asking(f"deleting bucket {name}"):
        _client(access).delete_bucket(Bucket=name)


def _client(access: Access) -> S3Client:
    client: S3Client = access.client("s3")
    return client
