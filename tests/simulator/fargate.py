"""A deployment in a simulator that runs tasks as processes or containers, and runs of workflows on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cromulent_wdl.model import Deployment
from cromulent_wdl.simulator.process import Simulation

from .cloud import Cloud
from .deployments import deploy

__all__ = ["Lab", "Ran"]


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs of a run that went well."""
        assert self.status == 0, self.stderr
        outputs: dict[str, Any] = json.loads(self.stdout)["outputs"]
        return outputs

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return Path(json.loads(self.stdout)["dir"])


@dataclass
class Lab:
    """A deployment whose file system this machine has at `mount`."""

    simulation: Simulation
    cloud: Cloud
    deployment: Deployment
    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, simulation: Simulation, cloud: Cloud, home: Path) -> Lab:
        """Deploy."""
        lab = cls(simulation, cloud, deploy(cloud), home)
        lab.mount.mkdir(parents=True, exist_ok=True)
        return lab

    @property
    def mount(self) -> Path:
        """The root of the deployment's access point, as an instance has it mounted."""
        return self.simulation.files / self.deployment.file_system / "cromulent"

    def environment(self, **settings: str) -> Mapping[str, str]:
        """Return the environment of a command on a host that has the files mounted."""
        given = {
            "backend": "fargate",
            "deployment": self.deployment.name,
            "mount": str(self.mount),
            **self.settings,
            **settings,
        }
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("CROMULENT_", "MINIWDL_", "AWS_"))}
        credentials = self.cloud.session.get_credentials()
        return {
            **inherited,
            **self.simulation.environment,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "MINIWDL__SCHEDULER__CONTAINER_BACKEND": "cromulent",
            **{f"CROMULENT_{name.upper()}": value for name, value in given.items()},
        }

    def start(self, *arguments: str, module: str = "cromulent_wdl", **settings: str) -> subprocess.Popen[str]:
        """Start a command on that host."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=self.environment(**settings),
            cwd=self.mount,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, module: str = "cromulent_wdl", **settings: str) -> Ran:
        """Run a command on that host to its end."""
        process = self.start(*arguments, module=module, **settings)
        stdout, stderr = process.communicate(timeout=200)
        return Ran(process.returncode, stdout, stderr)

    def tasks(self) -> list[dict[str, Any]]:
        """Return all ECS tasks that there are, or were."""
        ecs, cluster = self.cloud.client("ecs"), self.deployment.cluster
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
        ]
        return ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
