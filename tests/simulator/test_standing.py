"""How a deployment stands: `cromulent status` without a run."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from cromulent_wdl.aws import objects
from cromulent_wdl.cli import usage_kept
from cromulent_wdl.cli.status_deployment import show
from cromulent_wdl.cli.usage import month_usage, past, usage_of_runs
from cromulent_wdl.errors import DeploymentNotFound
from cromulent_wdl.model import EcsTaskLaunched, EcsTaskStopped, RunStarted
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.provision.idle import idle_bill
from cromulent_wdl.provision.standing import look
from cromulent_wdl.provision.wishes import Wishes
from cromulent_wdl.runs.segments import SegmentWriter
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.storage.bucket import RunKeys
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


def test_runs_and_their_tasks_are_told(cloud: Cloud, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    show(access_to(cloud), "lab", as_json=False, every=False)
    told = " ".join(capsys.readouterr().out.split())

    assert "4 vCPU Spot; the whole account may have 4,000 on demand and 4,000 Spot" in told

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


def test_what_may_not_be_seen_is_left_out_and_said_to_be(strict_simulation: Simulation, root: Cloud) -> None:
    made = up(root, Wishes("seen"))
    assert made is not None
    iam = root.client("iam")
    iam.create_user(UserName="onlooker")
    allowed = {"Effect": "Allow", "Action": ["cloudformation:DescribeStacks", "states:ListExecutions"], "Resource": "*"}
    iam.put_user_policy(UserName="onlooker", PolicyName="p", PolicyDocument=json.dumps({"Statement": [allowed]}))
    keys = iam.create_access_key(UserName="onlooker")["AccessKey"]
    with Cloud.at(strict_simulation.address, keys["AccessKeyId"], keys["SecretAccessKey"]) as onlooker:
        standing = look(access_to(onlooker), "seen")
    down(root, "seen", delete_data=True)

    assert standing.deployment == made and standing.runs == ()
    assert standing.denied == {"tasks", "quotas", "bucket", "files", "logs"}
    assert idle_bill(standing, PRICES) == ()


def test_what_is_not_there_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(DeploymentNotFound, match="there is no deployment 'lab' in us-east-1"):
        look(access_to(cloud), "lab")


def record(cloud: Cloud, bucket: str, run: str, at: float) -> None:
    """Put the record of a run into a bucket: one task of 2 vCPUs that took an hour."""
    began = RunStarted(at, run, "w", "workflow", "w.wdl", 1, "h", "fargate")
    task = EcsTaskLaunched(at, "c", 1, "arn", "on_demand", "us-east-1", "X86_64", 2.0, 4 * GIB)
    ended = EcsTaskStopped(at, "c", 1, "arn", "on_demand", pull_started_at=at, stopped_at=at + 3600)
    writer = SegmentWriter(access_to(cloud), bucket, RunKeys(run))
    for event in (began, task, ended):
        writer(event)
    assert writer.flush()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_a_month_used_is_read_from_the_records_of_its_runs(cloud: Cloud, home: Path) -> None:
    made = up(cloud, LAB)
    assert made is not None
    now = datetime(2026, 11, 26, tzinfo=timezone.utc).timestamp()
    day = 24 * 3600
    record(cloud, made.bucket, "20261103_120000_a", now - 23 * day)
    record(cloud, made.bucket, "nightly", now - 20 * day)
    record(cloud, made.bucket, "nightly-of-october", now - 30 * day)
    record(cloud, made.bucket, "20261001_120000_old", now - 50 * day)
    access = access_to(cloud)
    month = month_usage(access, made, {"nightly"}, now)

    assert (month.month, month.runs, month.tasks, month.vcpu_hours, month.unread) == ("2026-11", 2, 2, 4, 0)
    assert month.dollars == pytest.approx(2 * (2 * PRICES["vcpu_hour"] + 4 * PRICES["gb_hour"]))
    # What has ended is not read again, what goes on is; and what the bucket no longer has does not count.
    s3 = cloud.client("s3")
    s3.delete_object(Bucket=made.bucket, Key=RunKeys("nightly").segment(1))
    s3.put_object(Bucket=made.bucket, Key=RunKeys("20261103_120000_a").segment(1), Body=b"not even JSON")
    again = month_usage(access, made, (), now)
    assert (again.runs, again.vcpu_hours) == (1, 2)


def test_what_runs_used_whose_records_gc_removes_counts_until_the_month_is_over(cloud: Cloud, home: Path) -> None:
    made = up(cloud, LAB)
    assert made is not None
    now = datetime(2026, 11, 26, tzinfo=timezone.utc).timestamp()
    runs = ["20261103_120000_a", "20261103_120001_b", "20261001_120000_old"]
    for run, at in zip(runs, (now - 2000, now - 1000, now - 4_000_000), strict=True):
        record(cloud, made.bucket, run, at)
    access = access_to(cloud)
    before = month_usage(access, made, (), now)

    used = usage_of_runs(access, made, runs, now)
    assert sorted(each.run for each in used) == runs[:2]
    usage_kept.keep(access, made.bucket, "2026-11", used)
    objects.delete(access, made.bucket, [RunKeys(run).segment(1) for run in runs[1:]])
    assert month_usage(access, made, (), now) == before and before.runs == 2  # one is counted once, though told twice
    assert past(access, made, now) == []
    (kept,) = past(access, made, now + 6 * 86_400)
    assert kept.startswith("usage/2026-11/")


def test_more_records_than_can_be_read_at_once_are_said_to_be_unread(cloud: Cloud, home: Path) -> None:
    made = up(cloud, LAB)
    assert made is not None
    now = datetime(2026, 11, 26, tzinfo=timezone.utc).timestamp()
    for number in range(3):
        record(cloud, made.bucket, f"20261103_12000{number}_a", now - 1000)
    counts = [
        (each.runs, each.unread) for each in (month_usage(access_to(cloud), made, (), now, most=2) for _ in range(2))
    ]

    assert counts == [(2, 1), (3, 0)]


def test_the_command(cromulent: Run) -> None:
    missing = cromulent("status")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr.startswith("there is no deployment 'cromulent' in us-east-1\nhint: cromulent up makes it;")

    cromulent("up", "--yes")
    shown = cromulent("status")
    assert shown.returncode == 0 and all(len(line) <= 80 for line in shown.stdout.splitlines())
    assert ": healthy\n  running    nothing\n" in shown.stdout
    assert "idle cost  $0.00 a month" in shown.stdout
    said = json.loads(cromulent("status", "--json").stdout)
    assert said["healthy"] and said["idle"]["monthly"] == 0
    assert said["month"]["runs"] == 0 and "this month no runs so far: $0.00" in shown.stdout

    cromulent("down", "--yes")
    assert " were kept from one\nhint: cromulent up takes that back\n" in cromulent("status").stderr
