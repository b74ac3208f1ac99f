"""What runs used whose records `gc` removes, kept in the bucket until the month is over: a few bytes a run."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from ..aws import objects
from ..aws.access import Access
from ..reports.usage import RunUsage
from ..storage.bucket import usage_keys

__all__ = ["keep"]


def keep(access: Access, bucket: str, month: str, used: Sequence[RunUsage]) -> None:
    """Write down what runs of a month used, before their records go."""
    if used:
        objects.put(access, bucket, f"{usage_keys(month)}{secrets.token_hex(8)}.json", msgspec.json.encode(used))
