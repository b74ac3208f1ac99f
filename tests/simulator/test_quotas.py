"""Service Quotas says what Fargate may run, and Fargate keeps to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .cloud import Cloud
from .conftest import TEMPLATE

ON_DEMAND, SPOT = "L-3032A538", "L-36FBB829"


@pytest.fixture
def poor(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account that may run half a vCPU."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    simulation = Simulation.start(Settings(vcpu_quota=0.5))
    try:
        with Cloud.at(simulation.address, "111111111111", "secret") as cloud:
            yield cloud
    finally:
        simulation.close()


def test_a_quota_is_told_and_held(poor: Cloud) -> None:
    stack = poor.create_stack("trial", TEMPLATE)
    quota = poor.client("service-quotas").get_service_quota(ServiceCode="fargate", QuotaCode=ON_DEMAND)["Quota"]
    answer = poor.client("ecs").run_task(
        cluster=stack["Cluster"],
        taskDefinition=stack["Head"],
        launchType="FARGATE",
        networkConfiguration=stack.network,
        count=3,
        overrides={"containerOverrides": [{"name": "main", "environment": [{"name": "PLAY_SECONDS", "value": "60"}]}]},
    )

    assert quota["Value"] == 0.5
    assert (len(answer["tasks"]), len(answer["failures"])) == (2, 1)


def test_quotas_are_listed_and_have_defaults(cloud: Cloud) -> None:
    quotas = cloud.client("service-quotas")

    assert [each["QuotaCode"] for each in quotas.list_service_quotas(ServiceCode="fargate")["Quotas"]] == [
        ON_DEMAND,
        SPOT,
    ]
    default = quotas.get_aws_default_service_quota(ServiceCode="fargate", QuotaCode=SPOT)["Quota"]
    assert default["Value"] == 6
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        quotas.get_service_quota(ServiceCode="fargate", QuotaCode="L-00000000")
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        quotas.list_service_quotas(ServiceCode="teleport")
