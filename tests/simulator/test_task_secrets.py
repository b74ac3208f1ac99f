"""Secrets reach the tasks that they are for by ECS, never by us: IAM is enforced, and everything kept is searched."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from cromulent_wdl.aws.deployments import find_deployment
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .cloud import Cloud
from .cloud_runs import Machine
from .conftest import started
from .deployments import access_to
from .fargate import Lab

VALUE = f"hush-{uuid.uuid4().hex}"
DIGEST = sha256(VALUE.encode()).hexdigest()
SOURCE = """version 1.1
task opens {
  input { Int i }
  command <<< printf %s "$TOKEN" | sha256sum | cut -c -64; echo "it has ${#TOKEN} letters" >&2 >>>
  output { String digest = read_string(stdout()) }
}
task has_none {
  command <<< echo "${TOKEN-nothing}" >>>
  output { String said = read_string(stdout()) }
}
workflow opening {
  scatter (i in range(2)) { call opens { input: i } }
  call has_none
  output { Array[String] digests = opens.digest  String said = has_none.said }
}
"""


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    yield from started(tmp_path_factory, Settings(enforce_iam=True, data_plane="process"))


@pytest.fixture(scope="module")
def root(simulation: Simulation) -> Iterator[Cloud]:
    keys = simulation.environment
    with Cloud.at(simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def secret(root: Cloud) -> str:
    text = json.dumps({"token": VALUE})
    return str(root.client("secretsmanager").create_secret(Name="lab/token", SecretString=text)["ARN"])


@pytest.fixture(scope="module")
def laptop(simulation: Simulation, secret: str, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine.new(simulation, tmp_path_factory.mktemp("laptop"))
    made = machine("up", "--yes", "--secret", secret)
    assert made.status == 0, made.err
    machine.write("opening.wdl", SOURCE)
    return machine


@pytest.fixture
def lab(simulation: Simulation, root: Cloud, laptop: Machine) -> Lab:
    """The same machine with the deployment's files mounted."""
    made = Lab(simulation, root, find_deployment(access_to(root), "cromulent"), laptop.directory)
    made.mount.mkdir(parents=True, exist_ok=True)
    made.mount.chmod(0o777)  # the access point would make it for its own user
    return made


def holding(directory: Path) -> list[Path]:
    """Return the files below that hold the value."""
    files = [Path(top, name) for top, _, names in os.walk(directory) for name in names]
    assert files
    return [path for path in files if path.is_file() and VALUE.encode() in path.read_bytes()]


def told_by_aws(cloud: Cloud, lab: Lab) -> str:
    """Return what ECS answers of tasks and definitions, all logs, and the content of the bucket."""
    ecs, logs, s3 = cloud.client("ecs"), cloud.client("logs"), cloud.client("s3")
    definitions = [
        ecs.describe_task_definition(taskDefinition=arn)
        for arn in ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
    ]
    bucket, group = lab.deployment.bucket, lab.deployment.log_group
    objects = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    contents = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace") for key in objects]
    lines = logs.filter_log_events(logGroupName=group)["events"]
    return json.dumps([lab.tasks(), definitions, lines, objects, contents], default=str)


def standing(cloud: Cloud, lab: Lab) -> tuple[object, ...]:
    """Return what a run that was begun would add to."""
    kept = cloud.client("s3").list_objects_v2(Bucket=lab.deployment.bucket)["KeyCount"]
    return len(lab.tasks()), kept, sorted(lab.mount.iterdir())


def test_a_task_here_gets_its_secret_and_nothing_kept_has_it(
    lab: Lab, root: Cloud, laptop: Machine, secret: str
) -> None:
    given = ("--secret", f"opens.TOKEN={secret}:token::")
    source = str(laptop.directory / "opening.wdl")
    ran = lab.run("run", source, "--dir", "here/.", "--verbose", "--progress", "json", *given)
    assert ran.outputs == {"opening.digests": [DIGEST] * 2, "opening.said": "nothing"}
    assert "it has 37 letters" in ran.stderr
    assert VALUE not in ran.stdout + ran.stderr
    assert secret in (lab.mount / "here/rerun").read_text()
    assert holding(lab.mount) == []
    assert VALUE not in told_by_aws(root, lab)


def test_plain_miniwdl_gives_a_task_its_secret_on_fargate_and_refuses_the_task_elsewhere(
    lab: Lab, laptop: Machine, secret: str
) -> None:
    given = {"task_secrets": f"opens.TOKEN={secret}:token::"}
    arguments = ("run", str(laptop.directory / "opening.wdl"), "--as-me", "--dir")
    assert lab.run(*arguments, "plain/.", module="WDL", **given).outputs["opening.digests"] == [DIGEST] * 2
    elsewhere = lab.run(*arguments, "elsewhere/.", module="WDL", backend="process", **given)
    assert elsewhere.status != 0
    assert "secrets reach tasks on Fargate only" in elsewhere.stderr


def test_a_task_in_the_cloud_gets_its_secret_and_nothing_kept_has_it(
    lab: Lab, root: Cloud, laptop: Machine, secret: str
) -> None:
    ran = laptop("run", "opening.wdl", "--on", "aws", "--no-cache", "--secret", f"opens.TOKEN={secret}:token::")
    assert ran.status == 0, ran.err
    assert ran.result["outputs"] == {"opening.digests": [DIGEST] * 2, "opening.said": "nothing"}
    assert VALUE not in ran.out + ran.err
    kept = told_by_aws(root, lab)
    assert f"opens.TOKEN={secret}:token::" in kept  # the bundle's
    assert VALUE not in kept
    assert holding(laptop.directory) == []
    assert holding(lab.mount) == []


@pytest.mark.parametrize("place", [("--on", "aws"), ("--backend", "fargate"), ("--backend", "process")])
def test_what_would_not_reach_its_task_is_refused_before_anything_is_started(
    lab: Lab, root: Cloud, laptop: Machine, secret: str, place: tuple[str, str]
) -> None:
    wrong = {
        f"closes.TOKEN={secret}": "opening has no task 'closes'",
        f"opens.TOKEN={VALUE}": "what opens.TOKEN is to hold is not an ARN",
        f"opens.TOKEN={secret[:-1]}": "does not let tasks have",
    }
    before = standing(root, lab)
    for given, sentence in wrong.items():
        said = sentence if "process" not in place or "let" not in sentence else "secrets reach tasks on Fargate only"
        refused = lab.run("run", str(laptop.directory / "opening.wdl"), *place, "--secret", given)
        assert (refused.status, refused.stdout) == (2, ""), refused.stderr
        assert said in refused.stderr
        assert VALUE not in refused.stderr
    assert standing(root, lab) == before
