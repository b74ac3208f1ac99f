"""That what a bundle names is in the bucket, and stays: whoever submits and whoever removes do not miss each other.

A bundle that was written within the last day is a claim to what it names: `gc` leaves it (runs/uploads.py). So it is
written first. Then it is asked what is being removed just now; that is taken for gone, even if it is there still.
"""

from __future__ import annotations

from collections.abc import Collection

from ..aws import objects
from ..aws.access import Access
from ..clock import SYSTEM, Clock
from ..errors import InputsError
from ..runs import removals
from ..storage.bucket import named_in

__all__ = ["GOOD_FOR", "check_kept", "going"]

GOOD_FOR = 43_200.0
"""Seconds after which a claim is to be renewed before one relies on it: half of what it is good for."""


def going(access: Access, bucket: str, clock: Clock = SYSTEM) -> frozenset[str]:
    """Return the contents that are being removed. To be asked once the bundle is written."""
    return removals.announced(access, bucket, clock.now())


def check_kept(
    access: Access, bucket: str, text: str, leaving: Collection[str], own: Collection[str | None] = ()
) -> None:
    """Raise InputsError where a content that a text names by its address is not there to stay.

    But for one's `own`, which are uploaded where they lack.
    """
    for content in sorted(named_in(text).difference(own)):
        if f"s3://{bucket}/{content}/" not in text:
            continue  # it is in another bucket
        if content in leaving or next(objects.listing(access, bucket, f"{content}/"), None) is None:
            raise InputsError(
                f"s3://{bucket}/{content} was removed by `cromulent gc`, as no run needed it any more",
                hint="run the workflow from its files: cromulent run … --on aws",
            )
