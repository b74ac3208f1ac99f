"""What every request passes: the address, the meters, the rates, the faults, the admin path."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import msgspec
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from cromulent_wdl.simulator.ecs import ApiError, Place
from cromulent_wdl.simulator.ecs.fault_plan import FaultPlan
from cromulent_wdl.simulator.ministack.requests import Request
from cromulent_wdl.simulator.others import Others
from cromulent_wdl.simulator.process import Simulation
from tests.fakes.clocks import FakeClock

from .cloud import Cloud, Stack, until
from .test_permissions import run_task


def ask(simulation: Simulation, path: str, method: str = "GET", document: object = None) -> Any:
    """Ask the admin path."""
    body = json.dumps(document).encode() if document is not None else None
    request = urllib.request.Request(f"{simulation.address}/_simulator/{path}", data=body, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


class Faults:
    """Faults of the running simulator."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def set(self, *faults: dict[str, Any]) -> None:
        ask(self._simulation, "faults", "PUT", {"seed": 1, "faults": list(faults)})


@pytest.fixture
def faults(simulation: Simulation) -> Iterator[Faults]:
    faults = Faults(simulation)
    yield faults
    faults.set()


def test_it_answers_on_loopback_and_nowhere_else(simulation: Simulation) -> None:
    listening = [each for each in psutil.net_connections("inet") if each.status == psutil.CONN_LISTEN]

    assert {each.laddr.ip for each in listening if each.laddr and each.laddr.port == simulation.port} == {"127.0.0.1"}


def test_a_connection_is_kept_for_thousands_of_requests(simulation: Simulation) -> None:
    connection = HTTPConnection("127.0.0.1", simulation.port)
    try:
        connection.connect()
        before = connection.sock.getsockname()
        for _ in range(1200):  # the server's library would close it after 1,000
            connection.request("GET", "/_simulator/faults")
            assert connection.getresponse().read()
        assert connection.sock.getsockname() == before
    finally:
        connection.close()


def test_requests_are_counted_an_action(simulation: Simulation, cloud: Cloud) -> None:
    ask(simulation, "meters/reset", "POST")
    cloud.client("s3").list_buckets()
    cloud.client("sqs").list_queues()
    cloud.client("ecs").list_clusters()
    cloud.client("ecs").list_clusters()
    with pytest.raises(ClientError):
        cloud.client("ecs").list_tasks(cluster="nowhere")
    actions = ask(simulation, "meters")["actions"]

    assert actions["s3:ListAllMyBuckets"]["requests"] == 1
    assert actions["sqs:ListQueues"]["requests"] == 1
    assert actions["ecs:ListClusters"]["requests"] == 2
    assert actions["ecs:ListTasks"]["errors"] == {"ClusterNotFoundException": 1}


@pytest.mark.parametrize(
    ("service", "ask_for", "action", "fault"),
    [
        ("ecs", "list_clusters", "ListClusters", ("throttling", "ThrottlingException", 400)),
        ("ecs", "list_clusters", "ListClusters", ("server_error", "ServerException", 500)),
        ("s3", "list_buckets", "s3:ListAllMyBuckets", ("throttling", "SlowDown", 503)),
        ("s3", "list_buckets", "s3:ListAllMyBuckets", ("server_error", "InternalError", 500)),
        ("ec2", "describe_vpcs", "ec2:DescribeVpcs", ("throttling", "RequestLimitExceeded", 503)),
        ("cloudformation", "list_stacks", "cloudformation:ListStacks", ("throttling", "Throttling", 400)),
        ("logs", "describe_log_groups", "logs:DescribeLogGroups", ("throttling", "ThrottlingException", 400)),
        ("stepfunctions", "list_activities", "states:ListActivities", ("server_error", "InternalFailure", 500)),
    ],
)
def test_a_fault_strikes_the_request_that_it_counts_to(
    cloud: Cloud, faults: Faults, service: str, ask_for: str, action: str, fault: tuple[str, str, int]
) -> None:
    kind, code, status = fault
    faults.set({"kind": kind, "action": action, "on": [2]})
    request = getattr(cloud.client(service), ask_for)

    request()
    with pytest.raises(ClientError) as error:
        request()
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    request()


@pytest.mark.parametrize("kind", ["connection_reset", "answer_lost"])
@pytest.mark.parametrize(("service", "action"), [("ecs", "CreateCluster"), ("sqs", "sqs:CreateQueue")])
def test_a_connection_is_cut_before_or_after_the_request_is_carried_out(
    cloud: Cloud, faults: Faults, kind: str, service: str, action: str
) -> None:
    faults.set({"kind": kind, "action": action, "on": [1]})
    ecs, sqs = cloud.client("ecs"), cloud.client("sqs")

    with pytest.raises(ConnectionClosedError):
        ecs.create_cluster(clusterName="c") if service == "ecs" else sqs.create_queue(QueueName="c")
    made = ecs.list_clusters()["clusterArns"] if service == "ecs" else sqs.list_queues().get("QueueUrls", [])
    assert len(made) == (1 if kind == "answer_lost" else 0)


@pytest.mark.parametrize(("service", "action"), [("ecs", "CreateCluster"), ("sqs", "sqs:CreateQueue")])
def test_an_answer_is_late_though_the_request_was_carried_out(
    cloud: Cloud, faults: Faults, service: str, action: str
) -> None:
    faults.set({"kind": "latency", "action": action, "on": [1], "after": 2.0})
    impatient = cloud.session.client(
        service, endpoint_url=cloud.address, config=Config(read_timeout=1.0, retries={"max_attempts": 0})
    )
    with pytest.raises(ReadTimeoutError):
        impatient.create_cluster(clusterName="c") if service == "ecs" else impatient.create_queue(QueueName="c")
    ecs, sqs = cloud.client("ecs"), cloud.client("sqs")
    until(lambda: ecs.list_clusters()["clusterArns"] if service == "ecs" else sqs.list_queues().get("QueueUrls"))
    impatient.close()


def test_faults_of_ecs_reach_its_engine(cloud: Cloud, stack: Stack, faults: Faults) -> None:
    faults.set({"kind": "capacity", "on": [1]})
    with pytest.raises(IndexError):
        run_task(cloud, stack)  # no tasks, one failure
    assert run_task(cloud, stack)


def test_faults_that_there_are_not_are_refused(simulation: Simulation) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(simulation, "faults", "PUT", {"faults": [{"kind": "earthquake"}]})
    with error.value as answer:
        assert answer.status == 400
        assert "earthquake" in json.load(answer)["error"]


def test_the_admin_path_has_nothing_else(simulation: Simulation) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(simulation, "nothing")
    error.value.close()
    assert error.value.status == 404


def test_rates_hold_an_account_in_a_region_where_they_are_enforced() -> None:
    clock = FakeClock()
    others = Others(clock, FaultPlan(), enforce_rates=True)
    request, here = Request("logs", "logs:FilterLogEvents", {}), Place("1", "us-east-1")

    for _ in range(5):
        others.admit(request, here)
    with pytest.raises(ApiError, match="Rate exceeded"):
        others.admit(request, here)
    others.admit(request, Place("2", "us-east-1"))
    clock.sleep(0.2)
    others.admit(request, here)
    assert others.meters.snapshot()["actions"]["logs:FilterLogEvents"]["throttled"] == 1


def test_rates_do_not_hold_where_nobody_asked() -> None:
    others = Others(FakeClock(), FaultPlan(), enforce_rates=False)

    for _ in range(1000):
        others.admit(Request("logs", "logs:FilterLogEvents", {}), Place("1", "us-east-1"))


def test_faults_can_be_read_back(simulation: Simulation, faults: Faults) -> None:
    faults.set({"kind": "throttling", "action": "s3:PutObject", "probability": 0.5})

    plan = msgspec.convert(ask(simulation, "faults"), FaultPlan)
    assert [(each.kind, each.action, each.probability) for each in plan.faults] == [("throttling", "s3:PutObject", 0.5)]
