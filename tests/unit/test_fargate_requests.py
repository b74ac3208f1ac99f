"""What ECS is asked, held against botocore's own model, and what makes two tasks share a definition."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import msgspec
import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from cromulent_wdl.backends.fargate.definitions import Definitions
from cromulent_wdl.backends.fargate.ladder import Rung, pause_after, rungs
from cromulent_wdl.backends.fargate.request import (
    LONGEST_OVERRIDES,
    Blueprint,
    Launch,
    definition_of,
    family_of,
    launch_of,
)
from cromulent_wdl.backends.fargate.sizes import Size
from cromulent_wdl.errors import AwsThrottled
from cromulent_wdl.model import Deployment
from tests.fakes.deployments import LAB

BLUEPRINT = Blueprint("ubuntu@sha256:1", "amd64", "", "fsap-run", "/mnt/efs/run", "", ())
LAUNCH = Launch(
    definition="arn:definition",
    size=Size(1024, 2048),
    script="/mnt/efs/run/.cromulent/attempts/align-1/script",
    provider="FARGATE_SPOT",
    subnet="subnet-1",
    security_group="sg-1",
    token="t" * 64,
    started_by="run-1",
    call="align[2]",
)


def check(action: str, request: dict[str, Any]) -> None:
    shape: Any = Session().get_service_model("ecs").operation_model(action).input_shape
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()


def test_requests_are_as_botocore_has_them() -> None:
    check("RegisterTaskDefinition", definition_of(LAB, BLUEPRINT, "run-1"))
    check("RunTask", launch_of(LAB, LAUNCH))


def test_a_definition_mounts_the_run_for_writing_and_the_files_for_reading() -> None:
    request = definition_of(LAB, BLUEPRINT, "run-1")
    [container] = request["containerDefinitions"]
    mounts = {each["containerPath"]: (each["sourceVolume"], each["readOnly"]) for each in container["mountPoints"]}
    assert mounts == {"/mnt/efs/run": ("run", False), "/mnt/cromulent-files": ("files", True)}
    points = {
        each["name"]: each["efsVolumeConfiguration"]["authorizationConfig"]["accessPointId"]
        for each in request["volumes"]
    }
    assert points == {"run": "fsap-run", "files": LAB.access_point}
    assert "rootDirectory" not in json.dumps(request["volumes"])  # an access point excludes one


def test_row_31_what_a_task_writes_elsewhere_is_on_its_own_disk_and_goes_with_it() -> None:
    [container] = definition_of(LAB, BLUEPRINT, "run-1")["containerDefinitions"]
    written = [each["containerPath"] for each in container["mountPoints"] if not each["readOnly"]]
    assert written == [BLUEPRINT.run_directory]
    assert "environment" not in container  # TMPDIR is the image's own


def test_secrets_are_named_for_ecs_to_fetch_and_none_is_where_a_task_has_none() -> None:
    secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:token-AbCdEf"
    request = definition_of(LAB, dataclasses.replace(BLUEPRINT, secrets=(("TOKEN", secret),)), "run-1")
    check("RegisterTaskDefinition", request)
    assert request["containerDefinitions"][0]["secrets"] == [{"name": "TOKEN", "valueFrom": secret}]
    assert "secrets" not in definition_of(LAB, BLUEPRINT, "run-1")["containerDefinitions"][0]


def test_row_2_a_family_is_the_deployments_and_depends_on_nothing_that_a_launch_overrides() -> None:
    family = family_of(LAB, BLUEPRINT)
    assert family.startswith(f"{LAB.name}_") and len(family) < 255
    assert family_of(LAB, dataclasses.replace(BLUEPRINT)) == family
    for field in dataclasses.fields(Blueprint):
        other: Any = {"architecture": "arm64", "secrets": (("TOKEN", "arn:secret"),)}.get(field.name, "other")
        changed = dataclasses.replace(BLUEPRINT, **{field.name: other})
        assert family_of(LAB, changed) != family, field.name
    assert family_of(msgspec.structs.replace(LAB, log_group="/other"), BLUEPRINT) != family


def test_row_48_overrides_carry_a_path_and_stay_short() -> None:
    overrides = launch_of(LAB, dataclasses.replace(LAUNCH, size=Size(4096, 8192, 50)))["overrides"]
    assert overrides["containerOverrides"] == [{"name": "task", "command": [LAUNCH.script]}]
    assert (overrides["cpu"], overrides["memory"]) == ("4096", "8192")
    assert overrides["ephemeralStorage"] == {"sizeInGiB": 50}
    assert len(json.dumps(overrides)) < LONGEST_OVERRIDES
    with pytest.raises(AssertionError, match="characters"):
        launch_of(LAB, dataclasses.replace(LAUNCH, script="/mnt/" + "x" * LONGEST_OVERRIDES))


def test_row_15_a_public_address_is_asked_for_where_the_deployment_needs_one() -> None:
    for public, asked in ((True, "ENABLED"), (False, "DISABLED")):
        request = launch_of(msgspec.structs.replace(LAB, assign_public_ip=public), LAUNCH)
        assert request["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == asked


def test_row_54_a_launch_says_whose_it_is() -> None:
    request = launch_of(LAB, LAUNCH)
    assert request["startedBy"] == "run-1"
    assert request["tags"] == [{"key": "cromulent:call", "value": "align:2:"}]
    assert {each["key"] for each in definition_of(LAB, BLUEPRINT, "run-1")["tags"]} == {
        "cromulent:deployment",
        "cromulent:run",
    }


def test_the_user_and_the_registrys_secret_are_given_where_there_are_any() -> None:
    mine = dataclasses.replace(BLUEPRINT, user="1000:1000", registry_secret="arn:secret")
    [container] = definition_of(LAB, mine, "run-1")["containerDefinitions"]
    assert container["user"] == "1000:1000"
    assert container["repositoryCredentials"] == {"credentialsParameter": "arn:secret"}


class Registry:
    """ECS, as far as definitions are concerned."""

    def __init__(self, failures: int = 0) -> None:
        self.registered: list[str] = []
        self._failures = failures

    def definition(self, family: str) -> str | None:
        return f"arn:{family}" if family in self.registered else None

    def register(self, request: object) -> str:
        if self._failures:
            self._failures -= 1
            raise AwsThrottled("less")
        assert isinstance(request, dict)
        self.registered.append(request["family"])
        return f"arn:{request['family']}"


def test_rows_1_and_8_a_definition_is_registered_once_and_found_again_by_the_next_head() -> None:
    registry = Registry()
    first = Definitions(registry, LAB, "run-1")
    arns = {first.arn(BLUEPRINT) for _ in range(1000)}
    assert len(arns) == len(registry.registered) == 1
    assert {Definitions(registry, LAB, "run-1").arn(BLUEPRINT)} == arns
    assert len(registry.registered) == 1


def test_a_registration_that_failed_is_tried_again_by_the_next_task() -> None:
    definitions = Definitions(Registry(failures=1), LAB, "run-1")
    with pytest.raises(AwsThrottled):
        definitions.arn(BLUEPRINT)
    assert definitions.arn(BLUEPRINT)


def test_row_19_spot_comes_before_on_demand_and_both_before_the_next_subnet() -> None:
    assert rungs(("a", "b"), 1, spot=True) == (
        Rung("FARGATE_SPOT", "b"),
        Rung("FARGATE", "b"),
        Rung("FARGATE_SPOT", "a"),
        Rung("FARGATE", "a"),
    )
    assert rungs(("a", "b"), 2, spot=False) == (Rung("FARGATE", "a"), Rung("FARGATE", "b"))
    assert [pause_after(round_, 5.0) for round_ in (1, 2, 3, 4, 5, 50)] == [5, 10, 20, 40, 60, 60]


def test_the_deployment_of_these_tests_is_whole() -> None:
    assert all(getattr(LAB, name) != "" for name in Deployment.__struct_fields__)
