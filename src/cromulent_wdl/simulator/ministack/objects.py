"""S3's repairs: an object that is put together from parts wants parts of a size."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import base

__all__ = ["repair"]

_LEAST = 5 * 2**20
"""Bytes of every part but the last (S3, page "Amazon S3 multipart upload limits")."""
_NUMBER = re.compile(rb"<PartNumber>\s*(\d+)\s*</PartNumber>")


def repair() -> None:
    """Refuse small parts."""
    base.wrap(base.module("services.s3"), "_complete_multipart_upload", _complete)


def _complete(original: Callable[..., Any], bucket: str, key: str, body: bytes, query: Any, headers: Any = None) -> Any:
    s3 = base.module("services.s3")
    parts = (s3._multipart_uploads.get(s3._qp(query, "uploadId")) or {}).get("parts", {})
    numbers = sorted(int(number) for number in _NUMBER.findall(body))
    if any(len(parts[number]["body"]) < _LEAST for number in numbers[:-1] if number in parts):
        message = "Your proposed upload is smaller than the minimum allowed size"
        return s3._error("EntityTooSmall", message, 400, f"/{bucket}/{key}")
    return original(bucket, key, body, query, headers)
