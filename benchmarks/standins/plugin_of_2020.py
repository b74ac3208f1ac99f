"""What the Fargate plugin of 2020 (with the library that it launched by) asked of AWS for each task, restated.

`python plugin_of_2020.py TASKS CLUSTER SUBNET ROLE SECONDS` runs as many tasks at once and writes `note.json`. Only
calls to ECS, EFS and Logs are made; it asked IAM and EC2 for roles, network and security group as well, every time.
For each task: the cluster and the log group are made sure of, a task definition is looked for by its digest, which
never matches since the task's own directory is mounted, and registered; RunTask; then DescribeTasks for this task
alone, every one to two seconds, until a container has an exit code.
"""

from __future__ import annotations

import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cromulent_wdl.clock import SYSTEM

LOG_GROUP = "aegea_ecs"


def main() -> None:
    """Run the tasks and note how many ended."""
    tasks, cluster, subnet, role = int(sys.argv[1]), *sys.argv[2:5]
    clients = {name: boto3.client(name) for name in ("ecs", "logs")}
    begun = SYSTEM.monotonic()
    with ThreadPoolExecutor(tasks) as threads:
        ended = list(threads.map(lambda number: _task(clients, number, (cluster, subnet, role)), range(tasks)))
    note = {"ended": sum(ended), "seconds": SYSTEM.monotonic() - begun}
    Path("note.json").write_text(json.dumps(note))
    print(json.dumps({"outputs": note}))


def _task(clients: dict[str, Any], number: int, place: tuple[str, str, str]) -> bool:
    """Run one task; False where a call was refused more often than the client tried, which failed the WDL task."""
    try:
        _run(clients, number, place)
    except (ClientError, IndexError):
        return False
    return True


def _run(clients: dict[str, Any], number: int, place: tuple[str, str, str]) -> None:
    cluster, subnet, role = place
    ecs, logs = clients["ecs"], clients["logs"]
    ecs.describe_clusters(clusters=[cluster])
    try:
        logs.create_log_group(logGroupName=LOG_GROUP)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    family = f"aegea_ecs_{number:08x}"
    try:
        ecs.describe_task_definition(taskDefinition=family)
    except ClientError:
        _register(ecs, family, role)
    network = {"subnets": [subnet], "assignPublicIp": "ENABLED"}
    started = ecs.run_task(
        cluster=cluster,
        taskDefinition=family,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
        overrides={"containerOverrides": [{"name": "aegea_ecs", "command": ["/bin/bash", "-c", "true"]}]},
    )
    task = started["tasks"][0]["taskArn"]
    while True:
        SYSTEM.sleep(random.uniform(1, 2))
        described = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"][0]
        if described["containers"][0].get("exitCode") is not None:
            return


def _register(ecs: Any, family: str, role: str) -> None:
    options = {"awslogs-region": "us-east-1", "awslogs-group": LOG_GROUP, "awslogs-stream-prefix": "aegea_ecs"}
    ecs.register_task_definition(
        family=family,
        containerDefinitions=[
            {
                "name": "aegea_ecs",
                "image": "ubuntu:18.04",
                "logConfiguration": {"logDriver": "awslogs", "options": options},
            }
        ],
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        executionRoleArn=role,
        taskRoleArn=role,
        cpu="256",
        memory="512",
    )


if __name__ == "__main__":
    main()
