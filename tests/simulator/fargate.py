"""A deployment in a simulator that runs tasks as processes or containers, and runs of workflows on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from cromulent_wdl.backends.fargate.backend import FargateBackend
from cromulent_wdl.backends.fargate.opening import open_cloud
from cromulent_wdl.config import Settings
from cromulent_wdl.model import Deployment
from cromulent_wdl.simulator.process import Simulation
from tests.programs import ended

from .cloud import Cloud
from .deployments import access_to, deploy

__all__ = ["QUICK", "Lab", "Ran"]

QUICK: dict[str, float | bool] = {
    "image_digests": False,
    "retry_pause": 0.02,
    "capacity_pause": 0.05,
    "capacity_patience": 60.0,
    "poll_least": 0.1,
    "poll_most": 0.5,
    "lost_after": 2.0,
    "stuck_after": 20.0,
    "result_wait": 1.0,
    "log_wait": 1.0,
    "log_pause": 0.1,
    "stop_patience": 20.0,
    "room_pause": 1.0,
    "head_pause": 0.05,
    "killed_wait": 1.0,
}
"""Settings for tests: every wait for what may not come, much shorter.

Not those for what comes, sooner or later as the machine is busy: patience that ends early would be another ending.
"""


_numbers = count(1)


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
        """Deploy, under a name that no other test's deployment has, so that faults strike this one alone."""
        lab = cls(simulation, cloud, deploy(cloud, f"lab{next(_numbers)}"), home)
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
            **{name: str(value) for name, value in QUICK.items()},
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
            "MINIWDL__CALL_CACHE__DIR": str(self.home / "calls"),
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
        stdout, stderr = ended(process, 120)
        return Ran(process.returncode, stdout, stderr)

    @contextmanager
    def backend(self, **settings: Any) -> Iterator[FargateBackend]:
        """Make a backend in this process, which waits for nothing for long."""
        quick = Settings(**{"mount": str(self.mount), **QUICK, **settings})
        backend = FargateBackend(open_cloud(access_to(self.cloud), self.deployment, quick))
        try:
            yield backend
        finally:
            backend.close()

    def afflict(self, *faults: Mapping[str, Any], seed: int = 0) -> None:
        """Have these faults befall the tasks of this deployment from now on, and no others."""
        plan = {"seed": seed, "faults": [{"family": f"{self.deployment.name}_*", **fault} for fault in faults]}
        request = urllib.request.Request(
            f"{self.simulation.address}/_simulator/faults", json.dumps(plan).encode(), method="PUT"
        )
        urllib.request.urlopen(request, timeout=60).close()

    def tasks(self) -> list[dict[str, Any]]:
        """Return all ECS tasks that there are, or were."""
        ecs, cluster = self.cloud.client("ecs"), self.deployment.cluster
        pages = [
            page["taskArns"]
            for status in ("RUNNING", "STOPPED")
            for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status)
            if page["taskArns"]
        ]
        return [task for page in pages for task in ecs.describe_tasks(cluster=cluster, tasks=page)["tasks"]]

    def live(self) -> list[str]:
        """Return the ARNs of ECS tasks that have not stopped."""
        return [task["taskArn"] for task in self.tasks() if task["lastStatus"] != "STOPPED"]
