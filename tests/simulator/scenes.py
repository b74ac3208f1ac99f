"""Where stories of runs are told: a deployment where IAM is enforced, machines, and roles that lack a statement."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cromulent_wdl.model import deployment as deployments
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision.wishes import Wishes
from cromulent_wdl.simulator.process import Simulation

from .cloud import Cloud, until
from .cloud_runs import Machine
from .deployments import up
from .fargate import Lab

__all__ = ["READ_TOO", "Scene", "described", "given", "without"]

READ_TOO = "read-too"

_WORKFLOWS = {
    "quick.wdl": """version 1.1
task quick {
  input { File f }
  command <<< cat ~{f} >>>
  output { String said = read_string(stdout())  File copy = stdout() }
}
""",
    "slow.wdl": 'version 1.1\ntask slow { command <<< sleep 5 >>> runtime { cpu: 1 memory: "2 GB" } }\n',
    "long.wdl": "version 1.1\ntask long { command <<< sleep 600 >>> }\n",
    "a.txt": "hello\n",
}


@dataclass(frozen=True)
class Given:
    """What the account has for deployments: a key, a bucket to read, a secret, and one that the key encrypts."""

    key: str
    secret: str
    locked: str

    def wishes(self, name: str) -> Wishes:
        """Return a wish for a deployment with all that adds statements to its roles."""
        return Wishes(name, read_buckets=(READ_TOO,), secrets=(self.secret, self.locked), kms_key=self.key)


def given(root: Cloud) -> Given:
    """Make it."""
    root.client("s3").create_bucket(Bucket=READ_TOO)
    root.client("s3").put_object(Bucket=READ_TOO, Key="a.txt", Body=b"hello\n")
    key = root.client("kms").create_key()["KeyMetadata"]["Arn"]
    secrets = root.client("secretsmanager")
    plain = secrets.create_secret(Name="plain", SecretString="open sesame")["ARN"]
    locked = secrets.create_secret(Name="locked", SecretString="open sesame", KmsKeyId=key)["ARN"]
    return Given(key, plain, locked)


@dataclass(frozen=True)
class Scene:
    """A deployment, and its account's root."""

    simulation: Simulation
    root: Cloud
    deployment: Deployment
    wishes: Wishes
    directory: Path

    @classmethod
    def made(cls, simulation: Simulation, root: Cloud, wishes: Wishes, directory: Path) -> Scene:
        """Make the deployment."""
        deployment = up(root, wishes)
        assert deployment is not None
        scene = cls(simulation, root, deployment, wishes, directory / wishes.name)
        scene.directory.mkdir()
        return scene

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
        """Return a machine with the keys of a caller, where the deployment is the one that is meant."""
        keys = cloud.session.get_credentials()
        named = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
        named |= {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
        named["CROMULENT_DEPLOYMENT"] = self.deployment.name
        machine = Machine.new(self.simulation, self.directory / name, {**named, **settings})
        for file, text in _WORKFLOWS.items():
            machine.write(file, text)
        return machine

    def start_head(self, command: str = "", **more: Any) -> str:
        """Start an ECS task of the head's definition as root, with other words if given; return its ARN."""
        subnets, groups = list(self.deployment.subnets), [self.deployment.security_group]
        network = {"subnets": subnets, "securityGroups": groups, "assignPublicIp": "ENABLED"}
        words: dict[str, Any] = {"command": [command]} if command else {}
        environment = [{"name": "RUN_ID", "value": "by-hand"}]
        started = self.root.client("ecs").run_task(
            cluster=self.deployment.cluster,
            launchType="FARGATE",
            taskDefinition=f"{self.deployment.name}_head",
            networkConfiguration={"awsvpcConfiguration": network},
            overrides={"containerOverrides": [{"name": "head", "environment": environment, **words}]},
            **more,
        )
        return str(started["tasks"][0]["taskArn"])

    def task(self, arn: str, status: str) -> dict[str, Any]:
        """Return an ECS task once it is in a status."""
        ecs, cluster = self.root.client("ecs"), self.deployment.cluster

        def look() -> Any:
            (found,) = ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
            return found if found["lastStatus"] == status else None

        found: dict[str, Any] = until(look)
        return found

    def keys_of(self, arn: str) -> Any:
        """Return the caller that a running ECS task is."""
        address = f"{self.simulation.address}/_simulator/tasks/{arn.rpartition('/')[2]}/credentials"
        with urllib.request.urlopen(address, timeout=60) as answer:
            keys = json.load(answer)
        return Cloud.at(self.root.address, keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])

    @contextmanager
    def as_head(self) -> Iterator[Lab]:
        """Be a head of the deployment, whose files are mounted here."""
        arn = self.start_head("import time; time.sleep(600)")
        self.task(arn, "RUNNING")
        with self.keys_of(arn) as head:
            yield Lab(self.simulation, head, self.deployment, self.directory)
        self.root.client("ecs").stop_task(cluster=self.deployment.cluster, task=arn)

    def role_of(self, whose: str) -> str:
        """Return the name of a role of the deployment."""
        arn = getattr(self.deployment, f"{whose}_role", "")
        if arn:
            return str(arn.rpartition("/")[2])
        names = [each["RoleName"] for each in self.root.client("iam").list_roles()["Roles"]]
        return str(next(name for name in names if name.startswith(f"{self.deployment.name}-OwnSweepRuleRole")))


@contextmanager
def without(scene: Scene, whose: str, sid: str) -> Iterator[None]:
    """Take a statement away from a role as the stack made it, and put it back."""
    iam, role = scene.root.client("iam"), scene.role_of(whose)
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        kept = [each for each in document["Statement"] if each["Sid"] != sid]
        if len(kept) == len(document["Statement"]):
            continue
        if kept:
            less = json.dumps({**document, "Statement": kept})
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=less)
        else:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        return
    raise AssertionError(f"{role} has no statement {sid}")


def described(deployment: Deployment) -> dict[str, str]:
    """Return the deployment as a head's environment describes it."""
    values = msgspec.structs.asdict(deployment)
    values["subnets"] = ",".join(deployment.subnets)
    values["assign_public_ip"] = str(deployment.assign_public_ip).lower()
    return {deployments._PREFIX + name.upper(): str(value) for name, value in values.items()}
