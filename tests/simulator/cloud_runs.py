"""A deployment on a simulator that runs tasks as processes, and the command line that uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cromulent_wdl.simulator.process import FOREIGN, Simulation
from tests.programs import ended

from .cloud import Cloud

__all__ = ["CACHE", "Machine", "Said", "head_of", "user"]

CACHE = Path(__file__).parents[2] / ".cache" / "heads"
"""Has what heads need between sessions: what is compiled comes from a package index, which some tests cannot reach."""


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """Return the JSON that it printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Machine:
    """A user's machine: a directory to work in, and a home that knows nothing of other machines' runs."""

    directory: Path
    environment: Mapping[str, str]

    @classmethod
    def new(cls, simulation: Simulation, directory: Path, keys: Mapping[str, str] | None = None) -> Machine:
        """Return a machine that reaches the simulator; what heads need is put together once for all."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in FOREIGN and not name.startswith(("AWS_", "CROMULENT_", "MINIWDL_"))
        }
        homes = {f"XDG_{name}_HOME": str(directory / name.lower()) for name in ("STATE", "CONFIG")}
        where = {"XDG_CACHE_HOME": str(CACHE), "PYTHONDONTWRITEBYTECODE": "1"}
        directory.mkdir(exist_ok=True)
        return cls(directory, {**inherited, **simulation.environment, **homes, **where, **(keys or {})})

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of ours."""
        return subprocess.Popen(
            [sys.executable, "-m", "cromulent_wdl", *arguments],
            env=dict(self.environment),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> Said:
        """Run a command of ours to its end."""
        process = self.start(*arguments)
        out, err = ended(process, 120)
        return Said(process.returncode, out, err)

    def write(self, name: str, text: str) -> Path:
        """Write a file into the directory."""
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path


def head_of(run: str) -> psutil.Process | None:
    """Return the process that is the head of a run."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "orchestrate" in process.cmdline() and process.environ().get("RUN_ID") == run:
                return process
    return None


def user(simulation: Simulation, root: Machine, name: str, *policy: str) -> dict[str, str]:
    """Make a user who may do what `cromulent policy` prints, and return the keys."""
    keys = simulation.environment
    with Cloud.at(simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as admin:
        iam = admin.client("iam")
        iam.create_user(UserName=name)
        for number, document in enumerate(_parts(root, *policy)):
            made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(document))
            iam.attach_user_policy(UserName=name, PolicyArn=made["Policy"]["Arn"])
        made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


def _parts(root: Machine, *policy: str) -> Iterator[Any]:
    for number in range(1, 9):
        printed = root("policy", *policy, *(() if policy else ("--part", str(number))))
        if printed.status != 0:
            return
        yield printed.result
        if policy:
            return
