"""What uploads that were broken off have left in S3, so that another goes on from there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import AwsDenied, AwsError
from ..access import Access, asking
from .sizes import SMALL, cuts
from .transfer import Part, Transfer, Unfinished

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["unfinished"]


def unfinished(access: Access, transfers: Sequence[Transfer]) -> Mapping[str, Unfinished]:
    """Return the uploads by their keys that were begun for large ones of these, in parts as we cut them.

    Only for keys that are names of a content: of another key, nobody knows of what file a part was. All are in one
    bucket. Where the caller may not look, there are none.
    """
    sizes = {each.key: each.state.size for each in transfers if each.state is not None and each.state.size > SMALL}
    if not sizes:
        return {}
    bucket = transfers[0].bucket
    client: S3Client = access.client("s3")
    try:
        with asking(f"looking for uploads to s3://{bucket} that were broken off"):
            prefix = os.path.commonprefix(list(sizes))  # noqa: RUF071 - S3 knows of no components
            found = dict(_begun(client, bucket, prefix))
            looked = {key: _parts(client, bucket, key, found[key], size) for key, size in sizes.items() if key in found}
    except AwsDenied:
        return {}
    except AwsError as error:
        if error.code == "NoSuchUpload":  # somebody has just completed it
            return {}
        raise
    return {key: Unfinished(found[key], parts) for key, parts in looked.items() if parts is not None}


def _begun(client: S3Client, bucket: str, prefix: str) -> list[tuple[str, str]]:
    """Return keys and uploads that were begun, the latest last."""
    pages: Any = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    uploads = [each for page in pages for each in page.get("Uploads", ())]
    return [(each["Key"], each["UploadId"]) for each in sorted(uploads, key=lambda each: str(each.get("Initiated")))]


def _parts(client: S3Client, bucket: str, key: str, upload: str, size: int) -> dict[int, Part] | None:
    """Return the parts that are there; None where they are not such as we would send."""
    wanted = {piece.number: piece.size for piece in cuts(size)}
    parts: dict[int, Part] = {}
    pages: Any = client.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload)
    for page in pages:
        if page.get("ChecksumAlgorithm", "CRC32") != "CRC32":
            return None
        for each in page.get("Parts", ()):
            if wanted.get(each["PartNumber"]) != each["Size"]:
                return None
            parts[each["PartNumber"]] = Part(each["ETag"], each.get("ChecksumCRC32", ""), each["Size"])
    return parts
