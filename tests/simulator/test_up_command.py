"""`cromulent up` and `down` as commands: what they say, how they ask, and what a sudden death leaves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from cromulent_wdl.provision import find_deployment
from cromulent_wdl.simulator.process import FOREIGN, Simulation
from tests.programs import running

from .cloud import Cloud
from .deployments import access_to
from .inventory import inventory

Run = Callable[..., subprocess.CompletedProcess[str]]

_accounts = count(222222222222)


@pytest.fixture
def account() -> str:
    return str(next(_accounts))


@pytest.fixture
def environment(simulation: Simulation, account: str, tmp_path: Path) -> dict[str, str]:
    """The variables that lead a command to an account of its own in the simulator."""
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    state = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("STATE", "CACHE", "CONFIG")}
    return {**inherited, **simulation.environment, **state, "AWS_ACCESS_KEY_ID": account}


@pytest.fixture
def cromulent(environment: dict[str, str], tmp_path: Path) -> Run:
    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cromulent_wdl", *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, input=text, text=True, capture_output=True)

    return run


@pytest.fixture
def held(simulation: Simulation, account: str) -> Callable[[], dict[str, list[str]]]:
    def look() -> dict[str, list[str]]:
        with Cloud.at(simulation.address, account, "test") as cloud:
            return inventory(cloud)

    return look


def test_what_is_not_wanted_is_not_made(cromulent: Run, held: Callable[[], dict[str, list[str]]]) -> None:
    dry = cromulent("up", "--dry-run")
    assert (dry.returncode, dry.stdout, held()) == (0, "", {})
    assert "none with an hourly price" in dry.stderr and "Nothing was made." in dry.stderr
    wrong = cromulent("up", "--dry-run", "--bucket", "My_Bucket")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("--bucket wants a bucket's name, not 'My_Bucket'\nhint: 3 to 63 lower-case letters")
    declined = cromulent("up", text="n\n")
    assert (declined.returncode, held()) == (1, {})
    assert "Create it? [y/N]" in declined.stderr
    alone = cromulent("up")
    assert (alone.returncode, held()) == (2, {})
    assert "nobody is there to be asked\nhint: --yes" in alone.stderr
    assert "there is no deployment" in cromulent("status").stderr  # nor a stack that waits for a plan


def test_a_region_that_aws_has_not_is_refused(cromulent: Run, tmp_path: Path) -> None:
    source = tmp_path / "count.wdl"
    source.write_text("version 1.1\ntask count { command <<< >>> }\n")
    for command in (("up", "--dry-run"), ("doctor",), ("plan", str(source))):
        mistyped = cromulent(*command, "--region", "us-esat-1")
        assert (mistyped.returncode, mistyped.stdout) == (2, "")
        assert mistyped.stderr.startswith("There is no AWS region 'us-esat-1'.\nhint: did you mean us-east-1, us-")
    assert "regions are named like us-east-1" in cromulent("up", "--dry-run", "--region", "mars").stderr


def test_from_up_to_nothing_left(
    cromulent: Run, held: Callable[[], dict[str, list[str]]], simulation: Simulation, account: str
) -> None:
    made = cromulent("up", "--yes", "--name", "lab")
    assert (made.returncode, made.stdout) == (0, "")
    assert "  made Network (network, VPC)\n" in made.stderr
    ready = r"Ready: lab 0\.1\.0, in 0:\d\d\. Try: cromulent run hello\.wdl --on aws --name lab"
    assert re.fullmatch(ready, made.stderr.splitlines()[-1])

    with Cloud.at(simulation.address, account, "test") as cloud:
        deployment = find_deployment(access_to(cloud), "lab")
        states, given = cloud.client("stepfunctions"), json.dumps({"version": 1, "bundle": "b"})
        states.start_execution(stateMachineArn=deployment.state_machine, name="goes-on", input=given)
    refused = cromulent("down", "--name", "lab", "--yes")
    assert refused.returncode == 2
    assert re.match(r"1 run( and 1 task)? (is|are) running\nhint: let them end, or give --stop-runs", refused.stderr)

    unconfirmed = cromulent("down", "--name", "lab", "--delete-data", "--yes", "--stop-runs")
    assert (unconfirmed.returncode, len(held()["buckets"])) == (2, 1)
    assert "--confirm lab" in unconfirmed.stderr
    gone = cromulent("down", "--name", "lab", "--delete-data", "--confirm", "lab", "--stop-runs")
    assert (gone.returncode, held()) == (0, {})
    assert gone.stderr.splitlines()[-1] == "Gone. Nothing carries the deployment's tag any more."
    assert "Nothing of a deployment 'lab'" in cromulent("down", "--name", "lab").stderr


def test_a_file_gives_what_flags_give(cromulent: Run, tmp_path: Path, held: Callable[[], dict[str, list[str]]]) -> None:
    (tmp_path / "cromulent.toml").write_text('deployment = "lab"\nlog_retention = 8\ntags = ["team=blue"]\n')
    refused = cromulent("up", "--yes")

    assert (refused.returncode, held()) == (2, {})
    assert "logs cannot be kept for 8 days" in refused.stderr
    assert cromulent("up", "--yes", "--log-retention", "7").returncode == 0
    assert held()["log groups"] == ["/cromulent/lab"]


def test_what_is_killed_at_any_point_is_finished_by_the_next(
    environment: dict[str, str], tmp_path: Path, cromulent: Run, held: Callable[[], dict[str, list[str]]]
) -> None:
    def killed_after(said: str, *words: str) -> None:
        command = [sys.executable, "-m", "cromulent_wdl", *words, "--yes"]
        with running(command, env=environment, cwd=tmp_path, text=True, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            assert any(said in line for line in process.stderr)
            process.kill()

    killed_after("idle cost", "up")
    killed_after("made ", "up")
    assert "nothing to change" in cromulent("up", "--yes").stderr
    killed_after("removed ", "down")
    gone = cromulent("down", "--delete-data", "--confirm", "cromulent")
    assert (gone.returncode, held()) == (0, {}), gone.stderr
