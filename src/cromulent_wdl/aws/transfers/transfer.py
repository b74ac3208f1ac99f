"""What is to be moved, and what is known of it, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...model.file_state import FileState
from ..objects import Found

__all__ = ["Part", "Told", "Transfer", "Unfinished"]

Told = Callable[[int], None]
"""Hears, from any thread, of each number of bytes that have come through."""


@dataclass(frozen=True)
class Transfer:
    """One file and its object, whichever way it goes."""

    path: Path | None
    """None stands for nothing: an empty object, by which a directory is there."""
    bucket: str
    key: str
    found: Found | None = None
    """What is known of an object that is to be downloaded; S3 is asked first where nothing is."""
    state: FileState | None = None
    """Of a file that is to be uploaded: how it was when its content was looked at. It is sent in no other."""

    @property
    def address(self) -> str:
        """The object's address."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Part:
    """A part of an upload that S3 has."""

    etag: str
    checksum: str
    size: int


@dataclass(frozen=True)
class Unfinished:
    """An upload in parts that was begun and not completed."""

    upload: str
    parts: Mapping[int, Part]
    """By number, from 1."""

    @property
    def bytes(self) -> int:
        """How much of it is there."""
        return sum(part.size for part in self.parts.values())
