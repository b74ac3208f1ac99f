"""How a deployment stands: `cromulent status` without a run."""

from __future__ import annotations

import json

import pytest

from cromulent_wdl.errors import DeploymentNotFound
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.provision.idle import idle_bill
from cromulent_wdl.provision.standing import look
from cromulent_wdl.provision.wishes import Wishes
from cromulent_wdl.units import GIB

from .cloud import Cloud, until
from .deployments import access_to, down, up
from .test_deployment import RUN, go_on, register
from .test_down import fill
from .test_up_command import Run, account, cromulent, environment

__all__ = ["account", "cromulent", "environment"]

LAB = Wishes("lab")
PRICES = shipped().rates("us-east-1")


def test_what_is_idle_costs_what_it_stores(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    fill(cloud, made.bucket)
    logs = cloud.client("logs")
    logs.create_log_stream(logGroupName=made.log_group, logStreamName="head/head/1")
    line = {"timestamp": 1_800_000_000_000, "message": "x" * 100}
    logs.put_log_events(logGroupName=made.log_group, logStreamName="head/head/1", logEvents=[line])

    standing = look(access_to(cloud), "lab")

    assert standing.healthy and (standing.runs, standing.tasks) == ((), ())
    assert standing.deployment == made
    assert standing.quotas is not None and standing.quotas.spot == 4000
    assert {each.what: each.bytes for each in idle_bill(standing, PRICES)} == {
        "bucket": 30,
        "file system": 0,
        "logs": 100,
    }
    assert sum(each.monthly for each in idle_bill(standing, PRICES)) == pytest.approx((30 * 0.023 + 100 * 0.03) / GIB)


def test_runs_and_their_tasks_are_told(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    ecs, head = cloud.client("ecs"), register(cloud, made, "head", PLAY_SECONDS="600")
    go_on(cloud, made)
    network = {"subnets": [made.subnets[0]], "securityGroups": [made.security_group], "assignPublicIp": "ENABLED"}
    ecs.run_task(
        cluster=made.cluster,
        taskDefinition=head,
        startedBy=RUN,
        count=2,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}],
        networkConfiguration={"awsvpcConfiguration": network},
        overrides={"cpu": "2048", "memory": "4096"},
    )
    until(lambda: len(ecs.list_tasks(cluster=made.cluster)["taskArns"]) == 3)

    standing = look(access_to(cloud), "lab")

    assert [each.name for each in standing.runs] == [RUN]
    assert len(standing.tasks_of(RUN)) == 3 and standing.all_tasks
    assert standing.vcpus.spot == 4 and 0 < standing.vcpus.on_demand < 4


def test_what_was_kept_is_the_deployments_own_and_what_was_given_is_not(cloud: Cloud) -> None:
    up(cloud, LAB)
    down(cloud, "lab")
    up(cloud, LAB)
    kept = look(access_to(cloud), "lab")
    cloud.client("s3").create_bucket(Bucket="mine")
    up(cloud, Wishes("other", bucket="mine"))
    given = look(access_to(cloud), "other")

    assert (kept.own_bucket, kept.own_files) == (True, True)
    assert (given.own_bucket, given.own_files, given.in_bucket) == (False, True, None)


def test_a_large_bucket_is_counted_up_to_a_limit(cloud: Cloud) -> None:
    made = up(cloud, LAB)
    assert made is not None
    fill(cloud, made.bucket)

    some, all_of_it = (look(access_to(cloud), "lab", pages=pages).in_bucket for pages in (0, None))

    assert some is not None and some.at_least
    assert all_of_it is not None and (all_of_it.versions, all_of_it.at_least) == (6, False)


def test_what_is_not_there_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(DeploymentNotFound, match="there is no deployment 'lab' in us-east-1"):
        look(access_to(cloud), "lab")


def test_the_command(cromulent: Run) -> None:
    missing = cromulent("status")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == "there is no deployment 'cromulent' in us-east-1\nhint: cromulent up\n"

    cromulent("up", "--yes")
    shown = cromulent("status")
    assert shown.returncode == 0 and all(len(line) <= 80 for line in shown.stdout.splitlines())
    assert ": healthy\n  running    nothing\n" in shown.stdout
    assert "idle cost  $0.00 a month" in shown.stdout
    record = json.loads(cromulent("status", "--json").stdout)
    assert record["healthy"] and record["idle"]["monthly"] == 0

    cromulent("down", "--yes")
    assert " were kept from one\nhint: cromulent up takes that back\n" in cromulent("status").stderr
