"""`down`: what goes, what stays, and what comes back."""

from __future__ import annotations

import pytest

from cromulent_wdl.errors import UsageError
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.provision import applying, holdings, removal
from cromulent_wdl.provision.wishes import Wishes
from cromulent_wdl.units import GIB
from tests.fakes.clocks import FakeClock

from .cloud import Cloud
from .deployments import access_to, down, quietly, up
from .inventory import inventory
from .test_deployment import go_on, register

LAB = Wishes("lab")
PRICES = shipped().rates("us-east-1")
CYCLES = 20


def test_cycles_leave_nothing_behind(cloud: Cloud) -> None:
    for _ in range(CYCLES):
        made = up(cloud, LAB)
        assert made is not None
        fill(cloud, made.bucket)
        register(cloud, made, "bwa-123")
        assert down(cloud, "lab", delete_data=True) == ()
        assert inventory(cloud) == {}


def test_data_stays_and_is_taken_back(cloud: Cloud) -> None:
    first = up(cloud, LAB)
    assert first is not None
    fill(cloud, first.bucket)

    assert down(cloud, "lab") == ()
    assert inventory(cloud) == {"buckets": [first.bucket], "file systems": [first.file_system]}
    planned = applying.plan(access_to(cloud), LAB, quietly)
    assert any(
        line.startswith(f"take back  {first.bucket} and {first.file_system}") for line in planned.in_words(PRICES)
    )
    second = applying.carry_out(access_to(cloud), planned, quietly)
    assert (second.bucket, second.file_system) == (first.bucket, first.file_system)
    assert up(cloud, LAB) is None
    assert down(cloud, "lab", delete_data=True) == ()
    assert inventory(cloud) == {}


def test_data_that_was_kept_can_be_deleted_later(cloud: Cloud) -> None:
    up(cloud, LAB)
    down(cloud, "lab")

    assert holdings.survey(access_to(cloud), "lab", quietly).only_data
    assert down(cloud, "lab", delete_data=True) == ()
    assert holdings.survey(access_to(cloud), "lab", quietly).nothing


def test_what_keeping_costs_is_said(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    fill(cloud, made.bucket)
    data = holdings.survey(access_to(cloud), "lab", quietly).data

    assert (data.in_bucket.versions, data.in_bucket.bytes) == (6, 30)
    assert data.idle(PRICES).total == pytest.approx(30 * 0.023 / GIB)


def test_two_deployments_do_not_touch_each_other(cloud: Cloud) -> None:
    one, other = up(cloud, LAB), up(cloud, Wishes("lab-2"))
    assert one is not None and other is not None
    kept = register(cloud, other, "head")
    register(cloud, one, "head")

    assert down(cloud, "lab", delete_data=True) == ()
    assert up(cloud, Wishes("lab-2")) is None
    left = inventory(cloud)["task definitions"]
    assert kept in left and all("/lab-2_" in each for each in left)
    assert inventory(cloud)["buckets"] == [other.bucket]


def test_runs_are_stopped_only_when_asked(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    execution = go_on(cloud, made)

    with pytest.raises(UsageError, match="1 run and 1 task are running"):
        down(cloud, "lab")
    assert cloud.client("stepfunctions").describe_execution(executionArn=execution)["status"] == "RUNNING"
    assert down(cloud, "lab", delete_data=True, stop_runs=True) == ()
    assert inventory(cloud) == {}


def test_access_points_of_runs_go_and_those_of_others_stay(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    efs = cloud.client("efs")
    for tags in ([{"Key": "cromulent:deployment", "Value": "lab"}], []):
        efs.create_access_point(FileSystemId=made.file_system, Tags=tags)

    down(cloud, "lab")
    assert len(inventory(cloud)["access points"]) == 1


def test_a_down_that_was_killed_when_the_stack_was_gone_goes_on(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    register(cloud, made, "bwa-123")
    cloud.delete_stack("lab")

    held = holdings.survey(access_to(cloud), "lab", quietly)
    assert held.stack is None and {each.active for each in held.definitions} == {True, False}
    assert down(cloud, "lab", delete_data=True) == ()
    assert inventory(cloud) == {}
    assert holdings.survey(access_to(cloud), "lab", quietly).nothing


def test_access_points_of_a_stack_that_was_deleted_by_hand_go(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    for tags in ([{"Key": "cromulent:deployment", "Value": "lab"}], []):
        cloud.client("efs").create_access_point(FileSystemId=made.file_system, Tags=tags)
    cloud.delete_stack("lab")

    held = holdings.survey(access_to(cloud), "lab", quietly)
    assert len(held.access_points) == 1 and not held.only_data
    assert down(cloud, "lab") == ()
    assert len(inventory(cloud)["access points"]) == 1


def test_what_is_left_is_listed(cloud: Cloud) -> None:
    up(cloud, LAB)
    url = cloud.client("sqs").create_queue(QueueName="left", tags={"cromulent:deployment": "lab"})["QueueUrl"]
    access, clock = access_to(cloud), FakeClock()
    held = holdings.survey(access, "lab", quietly)
    removal.take_away(access, held, quietly, delete_data=False, stop_runs=False)

    left = removal.leftovers(access, held, delete_data=False, clock=clock)

    assert [arn.rpartition(":")[2] for arn in left] == [url.rpartition("/")[2]]
    assert sum(clock.slept) == pytest.approx(60)  # the index of tags may lag so long


def test_down_after_a_failed_or_unfinished_up(cloud: Cloud) -> None:
    applying.plan(access_to(cloud), LAB, quietly)

    assert down(cloud, "lab") == ()
    assert holdings.survey(access_to(cloud), "lab", quietly).nothing


def fill(cloud: Cloud, bucket: str) -> None:
    """Put versions of objects, a marker of a deletion and an unfinished upload into a bucket."""
    s3 = cloud.client("s3")
    for name in ("a", "b"):
        for _ in range(3):
            s3.put_object(Bucket=bucket, Key=name, Body=b"12345")
    s3.delete_object(Bucket=bucket, Key="a")
    s3.create_multipart_upload(Bucket=bucket, Key="unfinished")
