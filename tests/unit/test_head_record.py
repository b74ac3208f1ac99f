"""What a head knows of itself by the endpoint that Fargate has for its containers."""

import json

import pytest

from cromulent_wdl.cli.head_record import launched_of
from cromulent_wdl.model import Deployment
from cromulent_wdl.model.deployment import deployment_in
from tests.fakes.http_server import Answer, serving

_TASK = {
    "TaskARN": "arn:aws:ecs:eu-west-1:123456789012:task/cromulent/00aa",
    "Limits": {"CPU": 0.5, "Memory": 2048},
    "PullStartedAt": "2025-11-22T19:33:20.123456789Z",
}
_ENVIRONMENT = {
    "DEPLOYMENT_NAME": "lab",
    "DEPLOYMENT_BUCKET": "lab-results",
    "DEPLOYMENT_REGION": "eu-west-1",
    "DEPLOYMENT_LOG_GROUP": "/cromulent/lab",
    "DEPLOYMENT_ASSIGN_PUBLIC_IP": "true",
}


def _deployment() -> Deployment:
    deployment = deployment_in(_ENVIRONMENT)
    assert deployment is not None
    return deployment


def test_a_head_is_billed_from_when_its_image_was_pulled() -> None:
    with serving(lambda path, _: Answer(body=json.dumps(_TASK).encode())) as server:
        launched = launched_of({"ECS_CONTAINER_METADATA_URI_V4": server.url + "/v4/x"}, _deployment())
    assert server.paths == ["/v4/x/task"]
    assert launched is not None
    assert launched.call == "" and launched.at == pytest.approx(1763840000.123456)
    assert (launched.cpu, launched.memory, launched.place) == (0.5, 2 << 30, "on_demand")
    assert launched.public_address and launched.region == "eu-west-1"


@pytest.mark.parametrize("answer", [Answer(404), Answer(body=b"{}"), Answer(body=b"no JSON")])
def test_a_head_that_nobody_tells_what_it_is_has_no_cost(answer: Answer) -> None:
    with serving(lambda path, _: answer) as server:
        assert launched_of({"ECS_CONTAINER_METADATA_URI_V4": server.url}, _deployment()) is None
    assert launched_of({}, _deployment()) is None
