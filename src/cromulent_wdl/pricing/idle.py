"""What a deployment costs while nothing runs: only what it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from ..units import GIB
from .card import Rates

__all__ = ["NAMES", "Idle", "Kept", "idle"]

NAMES = ("bucket_gb_month", "files_gb_month", "files_archive_gb_month", "logs_gb_month")
"""The prices that it is reckoned by."""


@dataclass(frozen=True)
class Kept:
    """Bytes that a deployment keeps."""

    bucket: int = 0
    files: int = 0
    """In the file system's standard class."""
    files_archive: int = 0
    """In its class for what is read seldom."""
    logs: int = 0


@dataclass(frozen=True)
class Idle:
    """Dollars a month."""

    bucket: float
    files: float
    logs: float
    compute: float = 0.0
    """Nothing of a deployment has an hourly price."""

    @property
    def total(self) -> float:
        """All of it."""
        return self.bucket + self.files + self.logs + self.compute


def idle(kept: Kept, rates: Rates) -> Idle:
    """Return what keeping it costs a month."""
    files = kept.files * rates["files_gb_month"] + kept.files_archive * rates["files_archive_gb_month"]
    return Idle(
        bucket=kept.bucket / GIB * rates["bucket_gb_month"],
        files=files / GIB,
        logs=kept.logs / GIB * rates["logs_gb_month"],
    )
