"""State machines around `ecs:runTask.sync`, for the stack of stack.yaml with the data plane that plays."""

from __future__ import annotations

import json
from typing import Any

from .cloud import Cloud, Stack

__all__ = ["RUN_TASK", "create_machine", "play", "task"]

RUN_TASK = "arn:aws:states:::ecs:runTask.sync"


def play(seconds: float = 0.0, exit_code: int = 0) -> dict[str, Any]:
    """Return the overrides that have a task last so long and end so."""
    environment = [
        {"Name": "PLAY_SECONDS", "Value": str(seconds)},
        {"Name": "PLAY_EXIT_CODE", "Value": str(exit_code)},
    ]
    return {"ContainerOverrides": [{"Name": "main", "Environment": environment}]}


def task(stack: Stack, overrides: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a state that runs a task; it ends the machine where no other field says what follows."""
    network = stack.network["awsvpcConfiguration"]
    parameters = {
        "LaunchType": "FARGATE",
        "Cluster": stack["ClusterArn"],
        "TaskDefinition": stack["Head"],
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {name[0].upper() + name[1:]: value for name, value in network.items()}
        },
        "Overrides": overrides or play(),
    }
    ending = {} if "Next" in fields else {"End": True}
    return {"Type": "Task", "Resource": RUN_TASK, "Parameters": parameters, **ending, **fields}


def create_machine(cloud: Cloud, stack: Stack, states: dict[str, Any], role: str = "", **fields: Any) -> str:
    """Create a machine that begins with the first of the states, and return its ARN."""
    machines = cloud.client("stepfunctions")
    there = machines.list_state_machines()["stateMachines"]
    definition = {"StartAt": next(iter(states)), "States": states, **fields}
    created = machines.create_state_machine(
        name=f"{stack.name}-{len(there)}", definition=json.dumps(definition), roleArn=role or stack["Conductor"]
    )
    return str(created["stateMachineArn"])
