"""A deployment in the simulator, made from the template as it is."""

from __future__ import annotations

from cromulent_wdl import __version__
from cromulent_wdl.aws.access import Access
from cromulent_wdl.aws.task_calls import TaskCalls
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision import applying, find_deployment, holdings, removal, template
from cromulent_wdl.provision.wishes import Wishes

from .cloud import Cloud

__all__ = ["access_to", "deploy", "down", "quietly", "up"]

_GIVEN = ("SubnetA", "SubnetB", "SubnetC", "ExecutionRole", "TaskRole", "HeadRole", "StatesRole", "SweepRuleRole")


class _Given(Access):
    """An access whose credentials and endpoint are a Cloud's."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(region="us-east-1")
        self._cloud = cloud

    def keys(self) -> tuple[str, str, str | None]:
        found = self._cloud.session.get_credentials().get_frozen_credentials()
        return found.access_key, found.secret_key, found.token

    def client(self, service: str, *, patient: bool = True, region: str = "") -> object:
        with self._making:
            return self._cloud.client(service)

    def task_calls(self) -> TaskCalls:
        return TaskCalls(self._cloud.client("ecs"), self._cloud.session.get_credentials(), None)


def access_to(cloud: Cloud) -> Access:
    """Return our way into a cloud."""
    return _Given(cloud)


def deploy(cloud: Cloud, name: str = "lab", **parameters: str) -> Deployment:
    """Make a deployment by CloudFormation alone and return it."""
    zones = [each["ZoneId"] for each in cloud.client("ec2").describe_availability_zones()["AvailabilityZones"]]
    given = {"Version": __version__, **dict.fromkeys(_GIVEN, ""), "ZoneA": zones[0], "ZoneB": zones[1], **parameters}
    cloud.client("cloudformation").create_stack(
        StackName=name,
        TemplateBody=template.body(),
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "cromulent:deployment", "Value": name}],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    stack = cloud.settled(name)
    assert stack.status == "CREATE_COMPLETE", cloud.failures(name)
    return find_deployment(access_to(cloud), name)


def quietly(event: object) -> None:
    """Take an event and say nothing."""


def up(cloud: Cloud, wishes: Wishes, body: str = "") -> Deployment | None:
    """Make or change a deployment as `cromulent up --yes` does; return it, or None where there was nothing to do."""
    access = access_to(cloud)
    planned = applying.plan(access, wishes, quietly, body=body)
    return applying.carry_out(access, planned, quietly) if planned.change_set else None


def down(cloud: Cloud, name: str, *, delete_data: bool = False, stop_runs: bool = False) -> tuple[str, ...]:
    """Take a deployment away as `cromulent down` does; return what is left."""
    access = access_to(cloud)
    held = holdings.survey(access, name, quietly)
    removal.take_away(access, held, quietly, delete_data=delete_data, stop_runs=stop_runs)
    return removal.leftovers(access, held, delete_data=delete_data)
