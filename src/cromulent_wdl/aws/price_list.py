"""AWS's price list: what a service charges for in a region, by the Price List API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_pricing import PricingClient

__all__ = ["HOME", "Offer", "offer_of", "offers"]

HOME = "us-east-1"
"""The region in which the API itself is asked, whatever region's prices are wanted."""


@dataclass(frozen=True)
class Offer:
    """A price on the list."""

    usage: str
    """AWS's usage type without the region's prefix: `Fargate-GB-Hours`."""
    dollars: float
    """For one unit, of the first tier that costs anything."""
    attributes: Mapping[str, str]


def offers(access: Access, service: str, region: str) -> Iterator[Offer]:
    """Yield what a service (`AmazonECS`) charges for on demand in a region; what is not in dollars is left out."""
    client: PricingClient = access.client("pricing")
    with asking(f"reading the price list of {service}"):
        for page in client.get_paginator("get_products").paginate(
            ServiceCode=service,
            Filters=[{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
            FormatVersion="aws_v1",
        ):
            for product in page["PriceList"]:
                offer = offer_of(json.loads(product))
                if offer is not None:
                    yield offer


def offer_of(product: Mapping[str, Any]) -> Offer | None:
    """Return the on-demand price of a product of the list, or None where it has none in dollars."""
    attributes = {str(name): str(value) for name, value in product.get("product", {}).get("attributes", {}).items()}
    tiers = []
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            dollars = dimension.get("pricePerUnit", {}).get("USD")
            if dollars is not None:
                tiers.append((float(dimension.get("beginRange", 0) or 0), float(dollars)))
    costing = [dollars for _, dollars in sorted(tiers) if dollars > 0]
    if not costing:
        return None
    return Offer(_without_prefix(attributes.get("usagetype", "")), costing[0], attributes)


def _without_prefix(usage: str) -> str:
    """Return a usage type without the region's prefix, which is short and in capitals: `USE1-`, `EU-`, `APN1-`."""
    prefix, dash, rest = usage.partition("-")
    return rest if dash and prefix.isupper() and prefix.isalnum() and len(prefix) <= 4 else usage
