"""What of the bucket is being removed just now, written down there by whoever removes it (uploads.py)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from ..aws import buckets, objects
from ..aws.access import Access
from ..storage.bucket import COLLECTIONS

__all__ = ["announce", "announced", "withdraw"]

_FORGOTTEN = 86_400.0
"""Seconds after which what was written down is not removed any more: who wrote it was killed, and left it."""


class _Removal(msgspec.Struct, frozen=True):
    at: float
    contents: list[str]


def announce(access: Access, bucket: str, contents: Sequence[str], now: float) -> str:
    """Write down what is about to be removed, and return the key of that."""
    key = f"{COLLECTIONS}{secrets.token_hex(8)}.json"
    objects.put(access, bucket, key, msgspec.json.encode(_Removal(now, list(contents))))
    return key


def announced(access: Access, bucket: str, now: float) -> frozenset[str]:
    """Return the contents that are being removed."""
    found: set[str] = set()
    for each in objects.listing(access, bucket, COLLECTIONS):
        text = objects.get(access, bucket, each.key)
        if text is not None:  # else it has just been done
            said = msgspec.json.decode(text, type=_Removal)
            found |= set(said.contents) if said.at > now - _FORGOTTEN else set()
    return frozenset(found)


def withdraw(access: Access, bucket: str, key: str, now: float) -> None:
    """Take back what was written down, and what others have left who were killed a day ago or earlier."""
    left = {each.key for each in buckets.versions(access, bucket, COLLECTIONS) if each.modified < now - _FORGOTTEN}
    objects.delete(access, bucket, sorted({key, *left}))
