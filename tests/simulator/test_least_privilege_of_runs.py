"""Running workflows: what `cromulent policy --run` prints and the stack's roles have is enough, and none can be spared.

The whole story is told with all of it, for real, with IAM enforced. Then each statement is taken away, from the role
as the stack made it or from the user, and the shortest part of the story that needs it breaks off, and says for want
of what. What only AWS demands is listed with the page that says so.

Three deployments stand side by side, since a role that lacks a statement is no help to other parts: in one the story
is told, in one heads lack something, in one machines do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.errors import CromulentError
from cromulent_wdl.provision.permissions import Place, policy
from cromulent_wdl.provision.role_permissions import roles
from cromulent_wdl.provision.wishes import ROLES
from cromulent_wdl.simulator.settings import Settings
from tests.fakes.process_tasks import Events
from tests.programs import ended

from .cloud import Cloud, until
from .cloud_runs import Machine
from .conftest import started
from .fargate import QUICK, Lab
from .lost_machine_statements import OfMachines, OfRunning
from .lost_statements import SAID_OTHERWISE, OfHead, Part
from .scenes import READ_TOO, Given, Scene, described, given
from .stories import allowed, place_of
from .test_fargate_endings import task_of

TAGGING = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html"
REGISTRY = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"

DEMANDED: Mapping[tuple[str, str], str] = {
    ("run", "LookAtImages"): REGISTRY,
    ("head", "LookAtImages"): REGISTRY,
    ("states", "Tag"): TAGGING,
}
"""Statements of which the simulator has no use: it is no registry of images, and AWS's own tags are free."""

WISHES = Given("key", "secret", "locked").wishes("lab")
_WAITS = 0.02
"""By what the waits between a machine's attempts are multiplied: it tries again for minutes."""
_PATIENCE = 300.0

Statement = tuple[str, str]
"""Whose it is (`run` or a role), and its Sid."""


@dataclass(frozen=True)
class Told:
    """What was told."""

    lost: Mapping[Statement, str | AssertionError]
    """What is said where a statement is missing; or what went otherwise than a part has it."""
    used: Mapping[str, Mapping[str, Any]]
    """What allowed something in the story: by whose it is, and by Sid."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Tell the story, and meanwhile its parts without a statement."""
    for simulation in started(tmp_path_factory, Settings(enforce_iam=True, data_plane="process", waits=_WAITS)):
        keys = simulation.environment
        root = partial(Cloud.at, simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
        with root() as one, root() as two, root() as three, ThreadPoolExecutor() as pool:  # each teller has clients
            there, directory = given(one), tmp_path_factory.mktemp("scenes")
            lab = Scene.made(simulation, one, there.wishes("lab"), directory)
            tellers = [
                pool.submit(_told, lab),
                pool.submit(_of_head, Scene.made(simulation, two, there.wishes("heads"), directory)),
                pool.submit(_of_machines, Scene.made(simulation, three, there.wishes("machines"), directory)),
            ]
            lost = [each.result(_PATIENCE) for each in tellers]
            yield Told({key: said for each in lost for key, said in each.items()}, _used(lab))


def _tell(statement: Statement, part: Part) -> tuple[Statement, str | AssertionError]:
    try:
        return statement, part()
    except CromulentError as refused:
        return statement, str(refused)
    except AssertionError as otherwise:
        return statement, otherwise


def _of_head(scene: Scene) -> dict[Statement, str | AssertionError]:
    with scene.as_head() as head:
        parts = OfHead(scene, head)
        parts.well()
        return dict(_tell(*each) for each in parts.parts.items())


def _of_machines(scene: Scene) -> dict[Statement, str | AssertionError]:
    return dict(_tell(*each) for each in OfMachines(scene, scene.machine("root", scene.root)).parts.items())


def _told(scene: Scene) -> dict[Statement, str | AssertionError]:
    with allowed(scene.root, "runner", policy("run", scene.wishes, place_of(scene.root))["Statement"]) as runner:
        run = _story(scene, scene.machine("laptop", runner))
    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(lambda each: _tell(*each), OfRunning(scene, run).parts.items()))


def _used(scene: Scene) -> dict[str, Mapping[str, Any]]:
    with urllib.request.urlopen(f"{scene.simulation.address}/_simulator/permissions", timeout=60) as answer:
        found = json.load(answer)
    return {"run": found["runner"]} | {role: found.get(scene.role_of(role), {}) for role in ROLES}


def _story(scene: Scene, laptop: Machine) -> str:
    """Run workflows, look at them, stop one; and be the head of one that goes on, which runs tasks on Fargate."""
    for file, *more in (("a.txt", "--download", "home"), (f"s3://{READ_TOO}/a.txt",)):
        done = laptop("run", "quick.wdl", f"f={file}", "--on", "aws", "--no-cache", *more)
        assert done.status == 0, done.err
    first = str(done.result["dir"]).rpartition("/")[2]
    assert laptop("logs", "last").status == 0
    assert laptop("prices", "--refresh").status == 0
    (run,) = laptop("run", "long.wdl", "--on", "aws", "--detach").out.split()
    heads = until(
        lambda: [t for t in scene.tasks() if (t["lastStatus"], t.get("startedBy")) == ("RUNNING", f"{run}/head")]
    )
    with scene.keys_of(heads[0]["taskArn"]) as head:
        _be_head(scene, head)
    _abort(scene, run)
    assert laptop("stop", run).status == 0
    return first


def _be_head(scene: Scene, head: Cloud) -> None:
    """Die with a task running, take over from oneself, and have a task whose output never reached the disk."""
    where = scene.files
    settings = {"backend": "fargate", "mount": str(where), **QUICK}
    environment = {f"CROMULENT_{name.upper()}": str(value) for name, value in settings.items()}
    machine = scene.machine("head", head, **environment, **described(scene.deployment))
    first = _plain(machine, where)
    until(lambda: [t for t in scene.tasks() if t["lastStatus"] == "RUNNING" and "by-hand" in t.get("startedBy", "")])
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


def _plain(machine: Machine, where: Any) -> subprocess.Popen[str]:
    """Start plain miniwdl with our backend, which runs again in a directory that it ran in."""
    command = [sys.executable, "-m", "WDL", "run", "slow.wdl", "--dir", f"{where}/by-hand/.", "--as-me", "--no-cache"]
    environment = {**machine.environment, "MINIWDL__SCHEDULER__CONTAINER_BACKEND": "cromulent"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, cwd=machine.directory, stdout=pipe, stderr=pipe, text=True)


def _abort(scene: Scene, run: str) -> None:
    """Stop a run over its head: the rule starts the sweep."""
    machines, ecs, cluster = scene.root.client("stepfunctions"), scene.root.client("ecs"), scene.deployment.cluster
    execution = scene.deployment.state_machine.replace(":stateMachine:", ":execution:") + f":{run}"
    machines.stop_execution(executionArn=execution)
    until(lambda: not ecs.list_tasks(cluster=cluster)["taskArns"])
    sweep = {"stateMachineArn": scene.deployment.sweep_machine, "statusFilter": "RUNNING"}
    until(lambda: not machines.list_executions(**sweep)["executions"])


def documents() -> dict[Statement, dict[str, Any]]:
    """Return everybody's statements."""
    place = Place("aws", "us-east-1", "123456789012")
    found = {("run", each["Sid"]): each for each in policy("run", WISHES, place)["Statement"]}
    for role, each in roles(WISHES, place).items():
        found |= {(role, one["Sid"]): one for part in each["Policies"] for one in part["PolicyDocument"]["Statement"]}
    return found


STATEMENTS = documents()


def actions(statement: Statement) -> list[str]:
    found = STATEMENTS[statement]["Action"]
    return [found] if isinstance(found, str) else list(found)


@pytest.mark.parametrize("statement", [each for each in STATEMENTS if each not in DEMANDED], ids="-".join)
def test_no_statement_can_be_spared(told: Told, statement: Statement) -> None:
    said = told.lost[statement]
    if isinstance(said, AssertionError):
        raise said
    words = SAID_OTHERWISE.get(statement)
    assert any(each in said for each in ([words] if words else actions(statement))), said


def test_what_is_listed_as_demanded_is_there_and_of_no_use_here(told: Told) -> None:
    assert [each for each in DEMANDED if each not in STATEMENTS] == []
    assert [(whose, sid) for whose, sid in DEMANDED if told.used[whose].get(sid)] == []
