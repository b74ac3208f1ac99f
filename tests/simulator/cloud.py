"""An account of a simulated AWS, through boto3 as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.config
import botocore.loaders
import botocore.session

from cromulent_wdl.clock import SYSTEM
from tests.programs import PATIENCE

__all__ = ["Cloud", "Stack", "until"]

_CONFIG = botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=50)

_LOADER = botocore.loaders.create_loader()
"""Reads the services' models once for all sessions: to read them takes longer than most tests."""


def until(done: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Return what is asked for as soon as it is true; fail when it does not become so."""
    deadline = SYSTEM.monotonic() + seconds
    while not (answer := done()):
        assert SYSTEM.monotonic() < deadline, "it did not happen"
        SYSTEM.sleep(0.02)
    return answer


@dataclass(frozen=True)
class Stack:
    """A stack as it stands after an operation."""

    name: str
    status: str
    reason: str
    outputs: Mapping[str, str]

    def __getitem__(self, output: str) -> str:
        return self.outputs[output]

    @property
    def network(self) -> dict[str, Any]:
        """The stack's network for RunTask."""
        subnet = self["Subnets"].split(",")[0]
        return {
            "awsvpcConfiguration": {
                "subnets": [subnet],
                "securityGroups": [self["TaskGroup"]],
                "assignPublicIp": "ENABLED",
            }
        }


@dataclass
class Cloud:
    """Clients of one caller."""

    session: Any
    address: str
    _clients: dict[str, Any] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def at(cls, address: str, key: str, secret: str, token: str | None = None) -> Iterator[Cloud]:
        """Open clients for a caller, and close them."""
        core = botocore.session.Session()
        core.register_component("data_loader", _LOADER)
        session = boto3.Session(key, secret, token, region_name="us-east-1", botocore_session=core)
        cloud = cls(session, address)
        try:
            yield cloud
        finally:
            for client in cloud._clients.values():
                client.close()

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service, endpoint_url=self.address, config=_CONFIG)
        return self._clients[service]

    def create_stack(self, name: str, template: str, **parameters: str) -> Stack:
        """Create a stack and return it when nothing goes on in it any more."""
        self.client("cloudformation").create_stack(
            StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"], Parameters=_listed(parameters)
        )
        return self.settled(name)

    def update_stack(self, name: str, template: str, **parameters: str) -> Stack:
        """Update a stack and return it when nothing goes on in it any more."""
        self.client("cloudformation").update_stack(
            StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"], Parameters=_listed(parameters)
        )
        return self.settled(name)

    def delete_stack(self, name: str) -> Stack:
        """Delete a stack and return it as it stands then."""
        formation = self.client("cloudformation")
        identity = formation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        formation.delete_stack(StackName=name)
        return self.settled(identity)

    def settled(self, name: str) -> Stack:
        """Return a stack when nothing goes on in it any more."""

        def look() -> Any:
            found = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
            return None if found["StackStatus"].endswith("IN_PROGRESS") else found

        found = until(look)
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}
        return Stack(found["StackName"], found["StackStatus"], found.get("StackStatusReason", ""), outputs)

    def failures(self, stack: str) -> dict[str, str]:
        """Return why resources of a stack failed, by their logical ids."""
        events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        return {
            each["LogicalResourceId"]: each.get("ResourceStatusReason", "")
            for each in events
            if each["ResourceStatus"].endswith("_FAILED")
        }

    def start(self, machine: str, value: object = None) -> str:
        """Start an execution and return its ARN."""
        started = self.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(value or {}))
        return str(started["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """Return an execution when it has ended."""

        def look() -> Any:
            found = self.client("stepfunctions").describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        found: dict[str, Any] = until(look)
        return found


def _listed(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
