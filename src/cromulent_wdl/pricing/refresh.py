"""Prices as AWS's Price List has them today, kept for 30 days.

Fargate Spot is not on that list, as far as is known; where it is, it is taken from there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from ..aws.price_list import Offer
from ..clock import SYSTEM, Clock, local_time
from ..files import write_whole
from .card import Card, Rates, shipped

__all__ = ["Asked", "ask", "keep", "rates_of"]

_DAYS = 30
_DAY = 86400.0

# By the card's name: AWS's service, its usage type without the region, an attribute that must be so, and how many
# of AWS's units make one of ours.
_LISTED: Mapping[str, tuple[str, str, Mapping[str, str], int]] = {
    "vcpu_hour": ("AmazonECS", "Fargate-vCPU-Hours:perCPU", {}, 1),
    "gb_hour": ("AmazonECS", "Fargate-GB-Hours", {}, 1),
    "arm_vcpu_hour": ("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU", {}, 1),
    "arm_gb_hour": ("AmazonECS", "Fargate-ARM-GB-Hours", {}, 1),
    "spot_vcpu_hour": ("AmazonECS", "SpotUsage-Fargate-vCPU-Hours:perCPU", {}, 1),
    "spot_gb_hour": ("AmazonECS", "SpotUsage-Fargate-GB-Hours", {}, 1),
    "arm_spot_vcpu_hour": ("AmazonECS", "SpotUsage-Fargate-ARM-vCPU-Hours:perCPU", {}, 1),
    "arm_spot_gb_hour": ("AmazonECS", "SpotUsage-Fargate-ARM-GB-Hours", {}, 1),
    "storage_gb_hour": ("AmazonECS", "Fargate-EphemeralStorage-GB-Hours", {}, 1),
    "address_hour": ("AmazonVPC", "PublicIPv4:InUseAddress", {}, 1),
    "files_gb_month": ("AmazonEFS", "TimedStorage-ByteHrs", {}, 1),
    "files_archive_gb_month": ("AmazonEFS", "IATimedStorage-ET-ByteHrs", {}, 1),
    "files_read_gb": ("AmazonEFS", "ETDataAccess-Bytes", {"accessType": "Read"}, 1),
    "files_written_gb": ("AmazonEFS", "ETDataAccess-Bytes", {"accessType": "Write"}, 1),
    "files_archive_read_gb": ("AmazonEFS", "IADataAccess-Bytes", {}, 1),
    "bucket_gb_month": ("AmazonS3", "TimedStorage-ByteHrs", {}, 1),
    "bucket_writes": ("AmazonS3", "Requests-Tier1", {}, 1000),
    "bucket_reads": ("AmazonS3", "Requests-Tier2", {}, 1000),
    "logs_gb": ("AmazonCloudWatch", "DataProcessing-Bytes", {}, 1),
    "logs_gb_month": ("AmazonCloudWatch", "TimedStorage-ByteHrs", {}, 1),
    "transitions": ("AmazonStates", "StateTransition", {}, 1000),
}


class Asked(msgspec.Struct, frozen=True):
    """What AWS answered for a region."""

    region: str
    at: float
    amounts: Mapping[str, float]
    """In dollars, by the card's names; those that the list does not have are left out."""


def ask(region: str, offers: Callable[[str], Iterable[Offer]], clock: Clock = SYSTEM) -> Asked:
    """Ask for a region's prices; `offers` returns what a service charges for there."""
    by_service: dict[str, list[str]] = {}
    for name, (service, *_) in _LISTED.items():
        by_service.setdefault(service, []).append(name)
    amounts: dict[str, float] = {}
    for service, names in by_service.items():
        for offer in offers(service):
            for name in names:
                _, usage, attributes, units = _LISTED[name]
                if offer.usage == usage and attributes.items() <= offer.attributes.items():
                    amounts[name] = round(offer.dollars * units, 12)
    return Asked(region, clock.now(), amounts)


def keep(asked: Asked, directory: Path) -> Path:
    """Put the answer where `rates_of` finds it, and return the file."""
    path = directory / f"{asked.region}.json"
    write_whole(path, msgspec.json.encode(asked))
    return path


def rates_of(region: str, directory: Path, clock: Clock = SYSTEM, card: Card | None = None) -> Rates:
    """Return a region's prices: those that AWS was asked for in the last 30 days, for the rest the card's.

    `directory` is the cache's, `storage.layout.prices_directory()`.
    """
    rates = (card or shipped()).rates(region)
    try:
        asked = msgspec.json.decode((directory / f"{region}.json").read_bytes(), type=Asked)
    except (OSError, msgspec.DecodeError):
        return rates
    if not 0 <= clock.now() - asked.at <= _DAYS * _DAY:
        return rates
    read = f"{local_time(asked.at):%Y-%m-%d}"
    said = {name: price for name, price in asked.amounts.items() if name in rates.prices}
    source = "AWS Price List API"
    prices = {name: msgspec.structs.replace(rates.prices[name], read=read, state="C", source=source) for name in said}
    return dataclasses.replace(
        rates,
        amounts={**rates.amounts, **said},
        borrowed=rates.borrowed - said.keys(),
        prices={**rates.prices, **prices},
    )
