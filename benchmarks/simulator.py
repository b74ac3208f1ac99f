"""`python -m benchmarks.simulator`: measure the simulator's speed and memory, print a row a figure, exit with 1 if
one is short.

Everything goes over HTTP to a simulator in a process of its own, which plays the tasks: by a bare keep-alive
connection for what the simulator can do, and by boto3 for what a user's program meets.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil

from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import HOST, REGION, Settings

from .figures import Row
from .runner import Goals, run
from .scale import Scale

PAGE = 100
BATCH = 10
DEFINITION: dict[str, Any] = {
    "family": "job",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [{"name": "main", "image": "busybox:1"}],
}


def bare(scale: Scale) -> list[Row]:
    """Measure what it can do on a bare connection."""
    with _simulation() as (simulation, request):
        return _raw(simulation.port, request, scale.size(10_000, 500))


def through_boto3(scale: Scale) -> list[Row]:
    """Measure what a user's program meets."""
    with _simulation() as (simulation, request):
        return _through_boto3(simulation, request, scale.size(10_000, 500))


@contextmanager
def _simulation() -> Iterator[tuple[Simulation, dict[str, Any]]]:
    """Start a simulator with a cluster, a definition and a subnet; with it comes a request to run a task of 3 s."""
    simulation = Simulation.start(Settings())
    try:
        clients = _session(simulation)
        vpc = clients.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = clients.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/16")["Subnet"]["SubnetId"]
        ecs = clients.client("ecs")
        ecs.create_cluster(clusterName="runs")
        ecs.register_task_definition(**DEFINITION)
        lasting = {"name": "main", "environment": [{"name": "PLAY_SECONDS", "value": "3"}]}
        yield (
            simulation,
            {
                "cluster": "runs",
                "taskDefinition": "job",
                "launchType": "FARGATE",
                "startedBy": "benchmark",
                "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}},
                "overrides": {"containerOverrides": [lasting]},
            },
        )
    finally:
        simulation.close()


def _session(simulation: Simulation) -> Any:
    keys = simulation.environment
    session: Any = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=REGION)

    class Clients:
        """Makes clients of the simulator."""

        def client(self, service: str) -> Any:
            """Return a client."""
            return session.client(service, endpoint_url=simulation.address)

    return Clients()


def _raw(port: int, request: dict[str, Any], tasks: int) -> list[Row]:
    """Measure one keep-alive connection: a call of RunTask a task, then DescribeTasks in hundreds."""
    connection = http.client.HTTPConnection(HOST, port)
    begun = SYSTEM.monotonic()
    answers = [_ask(connection, "RunTask", request) for _ in range(tasks)]
    running = SYSTEM.monotonic() - begun
    arns = [json.loads(answer)["tasks"][0]["taskArn"] for answer in answers]
    pages = [arns[start : start + PAGE] for start in range(0, tasks, PAGE)]
    begun = SYSTEM.monotonic()
    answers = [_ask(connection, "DescribeTasks", {"cluster": "runs", "tasks": page}) for page in pages]
    describing = SYSTEM.monotonic() - begun
    assert sum(len(json.loads(answer)["tasks"]) for answer in answers) == tasks
    return [
        Row(1, f"RunTask, {tasks} calls (goal: 500 a second)", "ms", 1000 * running / tasks, limit=2),
        Row(2, "DescribeTasks of 100 (goal: 100 a second)", "ms", 1000 * describing / len(pages), limit=10),
        Row(3, "memory of the simulator", "MB", _memory(port), limit=300),
    ]


def _ask(connection: http.client.HTTPConnection, action: str, request: dict[str, Any]) -> bytes:
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{action}",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/{REGION}/ecs/aws4_request",
    }
    connection.request("POST", "/", json.dumps(request), headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


def _through_boto3(simulation: Simulation, request: dict[str, Any], tasks: int) -> list[Row]:
    """Run tasks of 3 s in batches through boto3, poll them in hundreds until all have ended."""
    ecs = _session(simulation).client("ecs")
    begun = SYSTEM.monotonic()
    with ThreadPoolExecutor(4) as threads:
        batches = [threads.submit(ecs.run_task, **request, count=BATCH) for _ in range(tasks // BATCH)]
        arns = [task["taskArn"] for batch in batches for task in batch.result()["tasks"]]
    submitted = SYSTEM.monotonic() - begun
    wrong, open_arns = 0, arns
    while open_arns:
        ended: set[str] = set()
        for start in range(0, len(open_arns), PAGE):
            page = ecs.describe_tasks(cluster="runs", tasks=open_arns[start : start + PAGE])["tasks"]
            over = [task for task in page if task["lastStatus"] == "STOPPED"]
            ended |= {task["taskArn"] for task in over}
            wrong += sum(task["containers"][0].get("exitCode") != 0 for task in over)
        open_arns = [arn for arn in open_arns if arn not in ended]
    finished = SYSTEM.monotonic() - begun
    return [
        Row(4, f"boto3: {len(arns)} tasks of 3 s submitted", "s", submitted),
        Row(4, "boto3: all of them seen to end", "s", finished),
        Row(4, "boto3: tasks that ended wrongly or never", "", float(wrong + tasks - len(arns)), limit=0),
        Row(3, "memory of the simulator", "MB", _memory(simulation.port), limit=300),
    ]


def _memory(port: int) -> float:
    """Return the most memory that the simulator's process has had, in MB."""
    for process in psutil.Process().children(recursive=True):
        listens = any(each.laddr and each.laddr.port == port for each in process.net_connections("tcp4"))
        if listens and "cromulent_wdl.simulator.server" in process.cmdline():
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
            return int(peak.split()[1]) / 1000
    raise AssertionError("the simulator's process was not found")


GOALS: Goals = {1: ("requests on one connection", bare), 4: ("tasks through boto3", through_boto3)}


if __name__ == "__main__":
    sys.exit(run("simulator", __doc__, GOALS))
