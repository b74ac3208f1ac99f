"""Running workflows: what `cromulent policy --run` prints and the stack's roles have is enough, and all of it is used.

One story is told, for real, with IAM enforced; the simulator remembers which statement allowed what. A statement is
indispensable where it alone allowed something. What only AWS demands is listed with the page that says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision.permissions import Place, policy
from cromulent_wdl.provision.role_permissions import roles
from cromulent_wdl.provision.wishes import ROLES, Wishes
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.fakes.process_tasks import Events
from tests.programs import ended

from .cloud import Cloud, until
from .cloud_runs import Machine
from .conftest import started
from .deployments import up
from .fargate import QUICK, Lab
from .stories import allowed, place_of
from .test_fargate_endings import task_of

EXECUTION = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"
BUCKET_KEY = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
TAGGING = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html"
REGISTRY = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"

DEMANDED: Mapping[str, Mapping[str, str]] = {
    "run": {"BucketKey": BUCKET_KEY, "LogInToImages": REGISTRY, "LookAtImages": REGISTRY},
    "execution": dict.fromkeys(("LogIn", "Pull", "Log", "Secrets", "SecretsKey"), EXECUTION),
    "task": {},
    "head": {"BucketKey": BUCKET_KEY, "LogInToImages": REGISTRY, "LookAtImages": REGISTRY},
    "states": {"BucketKey": BUCKET_KEY, "Tag": TAGGING},
    "rule": {},
}
"""Statements that the simulator cannot judge: Fargate's own calls before a task starts, keys, ECR, AWS's own tags."""

TASKS = """version 1.1
task quick {
  input { File f }
  command <<< cat ~{f} >>>
  output { String said = read_string(stdout())  File copy = stdout() }
}
"""
SLOW = 'version 1.1\ntask slow { command <<< sleep 5 >>> runtime { cpu: 1 memory: "2 GB" } }\n'
LONG = "version 1.1\ntask long { command <<< sleep 600 >>> }\n"
KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
WISHES = Wishes("lab", read_buckets=("read-too",))
EVERYTHING = Wishes("lab", read_buckets=("read-too",), secrets=("s",), kms_key=KEY)


@dataclass(frozen=True)
class Scene:
    """Where the story is told."""

    simulation: Simulation
    root: Cloud
    deployment: Deployment
    directory: Path

    @property
    def files(self) -> Path:
        """The root of the access point, as an instance has it mounted."""
        return self.simulation.files / self.deployment.file_system / "cromulent"

    def tasks(self) -> list[dict[str, Any]]:
        """Return the ECS tasks that are to run."""
        ecs, cluster = self.root.client("ecs"), self.deployment.cluster
        arns = ecs.list_tasks(cluster=cluster)["taskArns"]
        return list(ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []

    def machine(self, name: str, cloud: Cloud, **settings: str) -> Machine:
        """Return a machine with the keys of a caller."""
        keys = cloud.session.get_credentials()
        named = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
        named |= {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
        machine = Machine.new(self.simulation, self.directory / name, {**named, **settings})
        machine.write("quick.wdl", TASKS)
        machine.write("slow.wdl", SLOW)
        machine.write("long.wdl", LONG)
        machine.write("a.txt", "hello\n")
        return machine


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """Tell the story, and return what allowed what: by `run` and the roles, and by statement."""
    for simulation in started(tmp_path_factory, Settings(enforce_iam=True, data_plane="process")):
        keys = simulation.environment
        with Cloud.at(simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as root:
            root.client("s3").create_bucket(Bucket="read-too")
            root.client("s3").put_object(Bucket="read-too", Key="a.txt", Body=b"hello\n")
            made = up(root, WISHES)
            assert made is not None
            scene = Scene(simulation, root, made, tmp_path_factory.mktemp("scene"))
            with allowed(root, "runner", policy("run", WISHES, place_of(root))["Statement"]) as runner:
                _run(scene, scene.machine("laptop", runner, CROMULENT_DEPLOYMENT="lab"))
        with urllib.request.urlopen(f"{simulation.address}/_simulator/permissions", timeout=60) as answer:
            found = json.load(answer)
        arns = {role: getattr(made, f"{role}_role", "") for role in ROLES}
        names = {arn.rpartition("/")[2]: role for role, arn in arns.items()}
        by_role = {names.get(who, "rule" if "SweepRule" in who else who): each for who, each in found.items()}
        yield {**by_role, "run": found["runner"]}


def _run(scene: Scene, laptop: Machine) -> None:
    """Run workflows, look at them, stop one; and be the head of one that goes on, which runs tasks on Fargate."""
    for file in ("a.txt", "s3://read-too/a.txt"):
        done = laptop("run", "quick.wdl", f"f={file}", "--on", "aws", "--download", "home", "--no-cache")
        assert done.status == 0, done.err
    assert laptop("logs", "last").status == 0
    assert laptop("prices", "--refresh").status == 0
    (run,) = laptop("run", "long.wdl", "--on", "aws", "--detach").out.split()
    with _head(scene) as head:
        _be_head(scene, head)
    _abort(scene, run)
    assert laptop("stop", run).status == 0


def _be_head(scene: Scene, head: Cloud) -> None:
    """Die with a task running, take over from oneself, and have a task whose output never reached the disk."""
    where = scene.files
    settings = {"backend": "fargate", "mount": str(where), **QUICK}
    environment = {f"CROMULENT_{name.upper()}": str(value) for name, value in settings.items()}
    machine = scene.machine("head", head, **environment, **_described(scene.deployment))
    first = _plain(machine, where)
    until(
        lambda: [each for each in scene.tasks() if each["lastStatus"] == "RUNNING" and "by-hand" in each["startedBy"]]
    )
    first.kill()
    ended(first)
    second = _plain(machine, where)
    _, said = ended(second)
    assert second.returncode == 0, said

    lab = Lab(scene.simulation, head, scene.deployment, scene.directory)
    task = task_of(lab, "sleep 60")
    task.stdout.unlink()
    task.stdout.mkdir()  # so the wrapper cannot write to it, and says so in its log
    with lab.backend() as backend:
        assert "cannot be written" in backend.run(task, Cancellation(), Events()).message + task.stderr.read_text()


def _plain(machine: Machine, where: Path) -> subprocess.Popen[str]:
    """Start plain miniwdl with our backend, which runs again in a directory that it ran in."""
    command = [sys.executable, "-m", "WDL", "run", "slow.wdl", "--dir", f"{where}/by-hand/.", "--as-me", "--no-cache"]
    environment = {**machine.environment, "MINIWDL__SCHEDULER__CONTAINER_BACKEND": "cromulent"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, cwd=machine.directory, stdout=pipe, stderr=pipe, text=True)


def _head(scene: Scene) -> Any:
    """Return the caller that the head of the one running task is."""
    ecs, cluster = scene.root.client("ecs"), scene.deployment.cluster
    (arn,) = until(lambda: ecs.list_tasks(cluster=cluster)["taskArns"])
    until(lambda: scene.tasks()[0]["lastStatus"] == "RUNNING")
    address = f"{scene.simulation.address}/_simulator/tasks/{arn.rpartition('/')[2]}/credentials"
    with urllib.request.urlopen(address, timeout=60) as answer:
        keys = json.load(answer)
    return Cloud.at(scene.root.address, keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])


def _described(deployment: Deployment) -> dict[str, str]:
    """Return the deployment as a head's environment describes it."""
    from cromulent_wdl.model import deployment as module

    values = {field.name: getattr(deployment, field.name) for field in fields(Deployment)}
    values["subnets"] = ",".join(deployment.subnets)
    values["assign_public_ip"] = str(deployment.assign_public_ip).lower()
    return {module._PREFIX + name.upper(): str(value) for name, value in values.items()}


def _abort(scene: Scene, run: str) -> None:
    """Stop a run over its head: the rule starts the sweep."""
    machines, ecs, cluster = scene.root.client("stepfunctions"), scene.root.client("ecs"), scene.deployment.cluster
    execution = scene.deployment.state_machine.replace(":stateMachine:", ":execution:") + f":{run}"
    machines.stop_execution(executionArn=execution)
    until(lambda: not ecs.list_tasks(cluster=cluster)["taskArns"])
    until(
        lambda: (
            not machines.list_executions(stateMachineArn=scene.deployment.sweep_machine, statusFilter="RUNNING")[
                "executions"
            ]
        )
    )


def statements() -> list[tuple[str, str]]:
    """Return everybody's statements: by `run` or role, and Sid."""
    place = Place("aws", "us-east-1", "123456789012")
    found = [("run", each["Sid"]) for each in policy("run", EVERYTHING, place)["Statement"]]
    for role, each in roles(EVERYTHING, place).items():
        found += [(role, one["Sid"]) for part in each["Policies"] for one in part["PolicyDocument"]["Statement"]]
    return found


JUDGED = [(whose, sid) for whose, sid in statements() if sid not in DEMANDED[whose]]


@pytest.mark.parametrize(("whose", "sid"), JUDGED)
def test_a_statement_alone_allows_something(told: dict[str, dict[str, Any]], whose: str, sid: str) -> None:
    assert told[whose].get(sid, {}).get("alone"), f"the story ends without it: {sorted(told[whose])}"


def test_what_is_listed_as_demanded_is_there(told: dict[str, dict[str, Any]]) -> None:
    there = set(statements())

    assert [(whose, sid) for whose, sids in DEMANDED.items() for sid in sids if (whose, sid) not in there] == []
    assert [(whose, sid) for whose, sids in DEMANDED.items() for sid in sids if told.get(whose, {}).get(sid)] == []
