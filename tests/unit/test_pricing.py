"""The rate card, and the arithmetic, against sums done by hand."""

import json
import re
from pathlib import Path

import pytest

from cromulent_wdl.aws.price_list import Offer, offer_of
from cromulent_wdl.pricing.bill import Cost, Size, billed_seconds, hourly, names_for, price_of
from cromulent_wdl.pricing.card import FALLBACK, shipped
from cromulent_wdl.pricing.idle import Kept, idle
from cromulent_wdl.pricing.refresh import ask, keep, rates_of
from cromulent_wdl.units import GIB
from tests.fakes.clocks import FakeClock

VIRGINIA = shipped().rates(FALLBACK)
IRELAND = shipped().rates("eu-west-1")


def test_the_card_has_every_price_for_the_region_that_stands_in_for_others() -> None:
    card = shipped()
    assert set(card.regions[FALLBACK]) == set(card.prices)
    for region, amounts in card.regions.items():
        assert amounts.keys() <= card.prices.keys(), region
        assert all(0 < amount < 1 for amount in amounts.values()), region
    for name, price in card.prices.items():
        assert re.fullmatch(r"202\d-\d\d-\d\d", price.read) and price.state in ("C", "U") and price.source, name


def test_spot_costs_less_than_on_demand_and_arm_less_than_x86_wherever_both_are_known() -> None:
    for region, known in shipped().regions.items():
        for name in ("vcpu_hour", "gb_hour"):
            assert known.get(f"spot_{name}", 0.0) < known[name], region
            assert known.get(f"arm_{name}", 0.0) < known[name], region


def test_an_hour_on_demand_by_hand() -> None:
    # 4 vCPU x 0.04048 + 10 GB x 0.004445 + (50 - 20) GB x 0.000111 + 0.005 = 0.16192 + 0.04445 + 0.00333 + 0.005
    cost = price_of(Size(4, 10 * GIB, 50, public_address=True), 3600, VIRGINIA)
    assert cost.total == pytest.approx(0.2147, rel=1e-6)
    assert (cost.cpu, cost.memory, cost.storage, cost.address) == pytest.approx((0.16192, 0.04445, 0.00333, 0.005))


def test_a_spot_task_in_ireland_by_hand() -> None:
    # 754 s of 2 vCPU and 8 GB: (2 x 0.01224056 + 8 x 0.0013441) x 754 / 3600 = 0.03523392 x 0.2094444
    assert price_of(Size(2, 8 * GIB, spot=True), 754, IRELAND).total == pytest.approx(0.00737955, rel=1e-4)


def test_a_task_for_arm_on_spot_is_billed_by_its_own_prices() -> None:
    size = Size(1, 2 * GIB, architecture="ARM64", spot=True)
    assert names_for(size) == ("arm_spot_vcpu_hour", "arm_spot_gb_hour")
    assert hourly(size, VIRGINIA).total == pytest.approx(0.01030969 + 2 * 0.00113349)


@pytest.mark.parametrize(
    ("pull", "stop", "seconds"), [(100.0, 103.0, 60.0), (100.0, 161.5, 61.5), (None, 400.0, 0.0), (100.0, 90.0, 60.0)]
)
def test_the_bill_is_by_the_second_from_the_pull_and_at_least_a_minute(
    pull: float | None, stop: float, seconds: float
) -> None:
    assert billed_seconds(pull, stop) == seconds


def test_costs_add_up() -> None:
    assert (Cost(1, 2, 3, 4) + Cost(1, 1, 1, 1)).times(0.5) == Cost(1, 1.5, 2, 2.5)


def test_what_is_kept_while_nothing_runs() -> None:
    # 118 GB x 0.023 = 2.714; 0.9 x 0.30 + 3.2 x 0.025 = 0.35; 1 GB of logs 0.03
    kept = Kept(118 * GIB, round(0.9 * GIB), round(3.2 * GIB), GIB)
    bill = idle(kept, VIRGINIA)
    assert (bill.bucket, bill.files, bill.logs) == pytest.approx((2.714, 0.35, 0.03), abs=1e-6)
    assert bill.total == pytest.approx(3.094, abs=1e-6)


def test_what_is_not_known_of_a_region_is_said_to_be_another_regions() -> None:
    milan = shipped().rates("eu-south-1")
    note = milan.note(names_for(Size(1, GIB, 30, spot=True, public_address=True)))
    assert milan["spot_vcpu_hour"] == VIRGINIA["spot_vcpu_hour"]
    assert "us-east-1's, as those of eu-south-1 are not known here" in note and "Spot prices float" in note
    assert "Fargate Spot, x86, a vCPU" in note and "storage above 20" in note
    assert "IPv4" not in note, "an address costs the same everywhere"
    assert "us-east-1's" not in milan.note(("vcpu_hour", "gb_hour"))
    assert shipped().rates("mars-north-1").borrowed >= {"vcpu_hour", "gb_hour"}


def _product(usage: str, *tiers: tuple[str, str], **attributes: str) -> dict[str, object]:
    dimensions = {
        f"S.T.{start}": {"beginRange": start, "unit": "hours", "pricePerUnit": {"USD": price}} for start, price in tiers
    }
    return {
        "product": {"attributes": {"usagetype": usage, **attributes}},
        "terms": {"OnDemand": {"S.T": {"priceDimensions": dimensions}}},
    }


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        (_product("EUC1-Fargate-GB-Hours", ("0", "0.0051100000")), ("Fargate-GB-Hours", 0.00511)),
        (_product("Requests-Tier1", ("0", "0.000005")), ("Requests-Tier1", 0.000005)),
        (_product("EU-StateTransition", ("4000", "0.000025"), ("0", "0")), ("StateTransition", 0.000025)),
        (_product("TimedStorage-ByteHrs", ("51200", "0.022"), ("0", "0.023")), ("TimedStorage-ByteHrs", 0.023)),
    ],
)
def test_a_product_of_the_list_is_read(product: dict[str, object], expected: tuple[str, float]) -> None:
    offer = offer_of(product)
    assert offer is not None and (offer.usage, offer.dollars) == expected


@pytest.mark.parametrize(
    "product",
    [{}, _product("X"), _product("X", ("0", "0")), {"terms": {"OnDemand": {"a": {"priceDimensions": {"b": {}}}}}}],
)
def test_a_product_without_a_price_in_dollars_is_none(product: dict[str, object]) -> None:
    assert offer_of(json.loads(json.dumps(product))) is None


def _offers(service: str) -> list[Offer]:
    lists = {
        "AmazonECS": [Offer("Fargate-vCPU-Hours:perCPU", 0.05, {}), Offer("Fargate-Windows-vCPU-Hours", 9.0, {})],
        "AmazonEFS": [
            Offer("ETDataAccess-Bytes", 0.07, {"accessType": "Write"}),
            Offer("ETDataAccess-Bytes", 0.04, {"accessType": "Read"}),
        ],
        "AmazonStates": [Offer("StateTransition", 0.00003, {})],
    }
    return lists.get(service, [])


def test_what_aws_was_asked_for_holds_for_thirty_days(tmp_path: Path) -> None:
    clock = FakeClock()
    asked = ask("eu-south-1", _offers, clock)
    assert asked.amounts == {"vcpu_hour": 0.05, "files_read_gb": 0.04, "files_written_gb": 0.07, "transitions": 0.03}
    keep(asked, tmp_path)
    rates = rates_of("eu-south-1", tmp_path, clock)
    assert rates["vcpu_hour"] == 0.05 and rates.prices["vcpu_hour"].source == "AWS Price List API"
    assert "files_read_gb" not in rates.borrowed and "spot_vcpu_hour" in rates.borrowed
    assert rates["gb_hour"] == 0.0053, "what the list does not have is the card's"
    assert rates_of("us-east-1", tmp_path, clock) == VIRGINIA
    clock.sleep(31 * 86400)
    assert rates_of("eu-south-1", tmp_path, clock)["vcpu_hour"] == 0.0486


def test_a_spoiled_answer_is_as_none(tmp_path: Path) -> None:
    keep(ask("us-east-1", _offers, FakeClock()), tmp_path).write_text("{")
    assert rates_of("us-east-1", tmp_path, FakeClock()) == VIRGINIA
