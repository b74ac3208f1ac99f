"""The Price List, as whoever reckons costs asks for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cromulent_wdl.aws.price_list import offers
from cromulent_wdl.pricing.refresh import ask

from .cloud import Cloud
from .deployments import access_to


def products(cloud: Cloud, page: int, **filters: str) -> list[dict[str, Any]]:
    pages = cloud.client("pricing").get_paginator("get_products")
    terms = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()]
    found = pages.paginate(ServiceCode="AmazonECS", Filters=terms, PaginationConfig={"PageSize": page})
    return [json.loads(each) for part in found for each in part["PriceList"]]


def test_the_list_comes_in_pages(cloud: Cloud) -> None:
    here = products(cloud, 2, regionCode="us-east-1")

    assert here == products(cloud, 100, regionCode="us-east-1")
    assert len(here) == 5
    assert {each["product"]["attributes"]["location"] for each in here} == {"US East (N. Virginia)"}


def test_a_product_is_found_by_its_usage(cloud: Cloud) -> None:
    (product,) = products(cloud, 100, usagetype="EUW2-Fargate-ARM-GB-Hours", productFamily="Compute")
    (term,) = product["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()

    assert (dimension["unit"], dimension["pricePerUnit"]) == ("hours", {"USD": "0.0040900000"})
    assert products(cloud, 100, usagetype="nothing") == []


def test_our_own_reckoning_understands_it(cloud: Cloud) -> None:
    asked = ask("us-east-1", lambda service: offers(access_to(cloud), service, "us-east-1"))

    assert asked.amounts == {
        "vcpu_hour": 0.04048,
        "gb_hour": 0.004445,
        "arm_vcpu_hour": 0.03238,
        "arm_gb_hour": 0.00356,
        "storage_gb_hour": 0.000111,
    }


def test_it_wants_a_permission(root: Cloud) -> None:
    iam = root.client("iam")
    iam.create_user(UserName="poor")
    keys = iam.create_access_key(UserName="poor")["AccessKey"]
    with Cloud.at(root.address, keys["AccessKeyId"], keys["SecretAccessKey"]) as poor:
        with pytest.raises(ClientError, match="pricing:GetProducts"):
            products(poor, 100)
