"""A simulated AWS that holds AWS's rates, with a deployment, and `cromulent run` against it."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .commands import WORKFLOWS, home
from .environments import Absent, Environment, cromulent
from .measure import Command

__all__ = ["ACTIONS", "Lab", "Meters", "lab"]

ACTIONS = ("ecs:", "elasticfilesystem:", "logs:")
"""Whose calls are counted."""


@dataclass(frozen=True)
class Meters:
    """What the simulator counted."""

    requests: Mapping[str, int]
    throttled: int
    endings: Mapping[str, int]

    @property
    def calls(self) -> int:
        """Calls of ECS, EFS and Logs, throttled ones and retries included."""
        return sum(count for action, count in self.requests.items() if action.startswith(ACTIONS))


@dataclass(frozen=True)
class Lab:
    """A simulated account with a deployment."""

    simulation: Simulation

    def run(self, name: str, count: int, **settings: object) -> Command:
        """Return `cromulent run` of as many tasks, on Fargate."""
        given = {"backend": "fargate", "mount": "{place}", **settings}
        environment = home() | dict(self.simulation.environment)
        environment |= {f"CROMULENT_{key.upper()}": str(value) for key, value in given.items()}
        arguments = [str(WORKFLOWS / "numbers.wdl"), f"count={count}", "--dir", "{place}/run/."]
        program = [cromulent().program("cromulent"), "run", *arguments]
        return Command(name, program, environment, shows='"outputs"', in_memory=True)

    def plain(self, name: str, environment: Environment, count: int, **settings: object) -> Command:
        """Return plain `miniwdl run` of the same with our backend."""
        ours = self.run(name, count, **settings)
        chosen = dict(ours.environment) | {"MINIWDL__SCHEDULER__CONTAINER_BACKEND": "cromulent"}
        arguments = [str(WORKFLOWS / "numbers.wdl"), f"count={count}", "--dir", "{place}/run/."]
        return Command(name, [environment.program("miniwdl"), "run", *arguments], chosen, '"outputs"', in_memory=True)

    def meters(self) -> Meters:
        """Return what was counted since the last reset."""
        found = self._ask("meters")
        actions: dict[str, Any] = found["actions"]
        counted = {name: each for name, each in actions.items() if name.startswith(ACTIONS)}
        return Meters(
            {name: int(each["requests"]) for name, each in counted.items()},
            sum(int(each["throttled"]) for each in counted.values()),
            found["tasks"]["endings"],
        )

    def requests(self, service: str) -> int:
        """Return how many requests a service had since the last reset, by how its actions begin."""
        actions: dict[str, Any] = self._ask("meters")["actions"]
        return sum(int(each["requests"]) for name, each in actions.items() if name.startswith(service))

    def client(self, service: str) -> Any:
        """Return a client of a service, as the account's root."""
        keys = self.simulation.environment
        session: Any = boto3.Session(
            keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=keys["AWS_REGION"]
        )
        return session.client(service, endpoint_url=self.simulation.address)

    def reset(self) -> None:
        """Count from nothing."""
        self._ask("meters/reset", method="POST")

    def _ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"{self.simulation.address}/_simulator/{path}", method=method)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")


@contextmanager
def lab(data_plane: str = "play", seconds: float = 1.0) -> Iterator[Lab]:
    """Start a simulator whose played tasks last so long, and deploy to it."""
    play = json.dumps({"rules": [{"seconds": [seconds, seconds]}]})
    simulation = Simulation.start(Settings(rates=True, data_plane=data_plane, play=play))
    try:
        up = [cromulent().program("cromulent"), "up", "--yes"]
        made = subprocess.run(up, env=home() | dict(simulation.environment), capture_output=True, text=True)
        if made.returncode != 0:
            raise Absent(f"no deployment could be made: {made.stderr.strip()[-300:]}")
        here = Lab(simulation)
        here.reset()
        yield here
    finally:
        simulation.close()
