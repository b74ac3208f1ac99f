"""The Price List, which ministack lacks: what Fargate costs, in AWS's form, from `prices.toml`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from . import base

__all__ = ["install"]

_NAME = "pricing"
_SERVICE = "AmazonECS"
_MOST = 100
"""Products of a page (botocore, GetProducts.MaxResults)."""
_TERM = "JRTCKXETXF"
_RATE = "6YS6EN2CT7"
"""What AWS's list calls On-Demand, and its one rate."""
_PRODUCTS: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "cpu": ("Fargate-vCPU-Hours:perCPU", {"cputype": "perCPU"}, "vCPU"),
    "memory": ("Fargate-GB-Hours", {"memorytype": "perGB"}, "Memory"),
    "arm_cpu": ("Fargate-ARM-vCPU-Hours:perCPU", {"cputype": "perCPU", "cpuArchitecture": "ARM"}, "ARM - vCPU"),
    "arm_memory": ("Fargate-ARM-GB-Hours", {"memorytype": "perGB", "cpuArchitecture": "ARM"}, "ARM - Memory"),
    "storage": ("Fargate-EphemeralStorage-GB-Hours", {"storagetype": "default"}, "Ephemeral Storage"),
}

Product = Mapping[str, Any]
Request = Mapping[str, Any]


def install() -> None:
    """Become a service of ministack's, which judges its callers."""
    base.module("core.router").SERVICE_PATTERNS[_NAME] = {"target_prefixes": ["AWSPriceListService"]}
    base.module("core.iam_actions").SERVICE_TO_IAM_NAMESPACE[_NAME] = _NAME
    base.module("app").SERVICE_HANDLERS[_NAME] = _handle


async def _handle(method: str, path: str, headers: Mapping[str, str], body: bytes, query: object) -> Any:
    responses = base.module("core.responses")
    if headers.get("x-amz-target", "").rpartition(".")[2] != "GetProducts":
        return responses.error_response_json("UnknownOperationException", "", 400)
    request = json.loads(body or b"{}")
    found = [each for each in _products() if _fits(each, request)]
    start = int(request.get("NextToken") or 0)
    end = start + min(int(request.get("MaxResults") or _MOST), _MOST)
    answer: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(each) for each in found[start:end]]}
    return responses.json_response({**answer, "NextToken": str(end)} if end < len(found) else answer)


def _fits(product: Product, request: Request) -> bool:
    """Say whether a product is of the service and passes all filters."""
    fields = {**product["product"]["attributes"], "productFamily": "Compute", "serviceCode": _SERVICE}
    return request.get("ServiceCode") == _SERVICE and all(
        _COMPARISONS[each.get("Type", "TERM_MATCH")](fields.get(each["Field"], ""), each["Value"])
        for each in request.get("Filters") or ()
    )


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "TERM_MATCH": lambda found, wanted: found == wanted,
    "EQUALS": lambda found, wanted: found == wanted,
    "CONTAINS": lambda found, wanted: wanted in found,
    "ANY_OF": lambda found, wanted: found in wanted.split(","),
    "NONE_OF": lambda found, wanted: found not in wanted.split(","),
}
"""(botocore, Filter.Type.)"""


@lru_cache
def _products() -> tuple[Product, ...]:
    regions = msgspec.toml.decode(Path(__file__).with_name("prices.toml").read_bytes())
    return tuple(product for region, known in regions.items() for product in _products_of(region, known))


def _products_of(region: str, known: Mapping[str, str]) -> Iterator[Product]:
    for name, (usage, attributes, words) in _PRODUCTS.items():
        if name in known:
            usage_type = f"{known['prefix']}-{usage}"
            shown = {
                "servicecode": _SERVICE,
                "servicename": "Amazon Elastic Container Service",
                "location": known["location"],
                "locationType": "AWS Region",
                "regionCode": region,
                "tenancy": "Shared",
                "usagetype": usage_type,
                "operation": "",
                **attributes,
            }
            yield _product(shown, known[name], f"AWS Fargate - {words} - {known['location']}")


def _product(attributes: Mapping[str, str], dollars: str, words: str) -> Product:
    sku = hashlib.sha256(attributes["usagetype"].encode()).hexdigest()[:16].upper()
    offer, rate = f"{sku}.{_TERM}", f"{sku}.{_TERM}.{_RATE}"
    dimension = {
        "rateCode": rate,
        "unit": "hours",
        "description": words,
        "appliesTo": [],
        "beginRange": "0",
        "endRange": "Inf",
        "pricePerUnit": {"USD": dollars},
    }
    term = {
        "sku": sku,
        "offerTermCode": _TERM,
        "effectiveDate": "2026-09-01T00:00:00Z",
        "termAttributes": {},
        "priceDimensions": {rate: dimension},
    }
    return {
        "product": {"productFamily": "Compute", "sku": sku, "attributes": attributes},
        "serviceCode": _SERVICE,
        "terms": {"OnDemand": {offer: term}},
        "version": "20260911000000",
        "publicationDate": "2026-09-11T00:00:00Z",
    }
