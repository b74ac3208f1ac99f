"""The same of those who are no heads: state machines and the rule, by their roles, and who runs workflows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from cromulent_wdl.aws import ecr
from cromulent_wdl.provision import template
from cromulent_wdl.provision.permissions import policy
from cromulent_wdl.provision.wishes import Wishes

from .cloud import Cloud, until
from .cloud_runs import Machine
from .deployments import access_to, down, up
from .lost_statements import OWN_REGISTRY, Part
from .scenes import Scene, without
from .stories import REFUSALS, allowed, place_of

__all__ = ["OfMachines", "OfRunning"]

_QUEUED = "20261126_120000_quick-000000aaaa"
"""A run of which the bucket has nothing yet."""
_SLEEP = "import time; time.sleep(600)"


class OfMachines:
    """Parts that state machines and the rule tell, as their roles."""

    def __init__(self, scene: Scene, laptop: Machine) -> None:
        self._scene = scene
        self._laptop = laptop
        told = dict.fromkeys(("Start", "GiveRoles", "KeepRequest", "BucketKey"), self._run)
        told |= {"ReadResult": self._read, "Find": self._sweep, "Follow": self._sweep_what_runs}
        self.parts: dict[tuple[str, str], Part] = {("states", sid): self._lacking(sid, told[sid]) for sid in told}
        self.parts |= {("states", "Watch"): self._make, ("rule", "Sweep"): self._abort}

    def _lacking(self, sid: str, part: Part) -> Part:
        def told() -> str:
            with without(self._scene, "states", sid):
                return part()

        return told

    def _run(self) -> str:
        """Run a workflow as somebody who may do everything."""
        said = self._laptop("run", "quick.wdl", "f=a.txt", "--on", "aws", "--no-cache")
        assert said.status == 1, said.err
        return said.err

    def _read(self) -> str:
        """Run a workflow that ends well: whoever asks Step Functions, as `ls` does, hears that it has failed."""
        done = self._laptop("run", "quick.wdl", "f=a.txt", "--on", "aws", "--no-cache")
        assert done.status == 0, done.err
        run = str(done.result["dir"]).rpartition("/")[2]
        machine = self._scene.deployment.state_machine.replace(":stateMachine:", ":execution:")
        ended = self._scene.root.ended(f"{machine}:{run}")
        assert ended["status"] == "FAILED"
        return str(ended["cause"])

    def _sweep(self) -> str:
        """Have the sweep look for what a run left."""
        ended = self._scene.root.ended(self._scene.root.start(self._scene.deployment.sweep_machine, {"run": "left"}))
        assert ended["status"] == "FAILED"
        return str(ended["cause"])

    def _sweep_what_runs(self) -> str:
        """Have the sweep find a task that it cannot stop: it tries for as long as it is let."""
        states, arn = self._scene.root.client("stepfunctions"), self._scene.start_head(_SLEEP, startedBy="left")
        self._scene.task(arn, "RUNNING")
        execution = self._scene.root.start(self._scene.deployment.sweep_machine, {"run": "left"})

        def causes() -> list[str]:
            events = states.get_execution_history(executionArn=execution)["events"]
            return [each["taskFailedEventDetails"]["cause"] for each in events if "taskFailedEventDetails" in each]

        said = "\n".join(until(causes))
        states.stop_execution(executionArn=execution)
        assert self._scene.task(arn, "RUNNING")
        self._scene.root.client("ecs").stop_task(cluster=self._scene.deployment.cluster, task=arn)
        return said

    def _make(self) -> str:
        """Make a deployment by a template without the statement."""
        name = f"{self._scene.deployment.name}-unwatched"
        less = re.sub(r"\n +- Sid: Watch\b.*?(?=\n +- Sid: )", "", template.body(), flags=re.DOTALL)
        try:
            up(self._scene.root, Wishes(name), body=less)
        except REFUSALS as refused:
            return str(refused)
        finally:
            down(self._scene.root, name, delete_data=True)
        return ""

    def _abort(self) -> str:
        """Stop a run over its head while its rule may start nothing: what it had started goes on."""
        with without(self._scene, "rule", "Sweep"):
            arn = self._scene.start_head(_SLEEP, startedBy="run-1")
            self._scene.task(arn, "RUNNING")
            self._stop("run-1")
        self._stop("run-2")  # when its sweep begins, that of the other would have begun long before
        assert until(self._swept) == ["run-2"]
        assert self._scene.task(arn, "RUNNING")
        self._scene.root.client("ecs").stop_task(cluster=self._scene.deployment.cluster, task=arn)
        return "nobody stops it"

    def _stop(self, run: str) -> None:
        states = self._scene.root.client("stepfunctions")
        asked: dict[str, Any] = {"stateMachineArn": self._scene.deployment.state_machine, "name": run}
        execution = states.start_execution(**asked, input=json.dumps({"version": 1, "bundle": "none"}))
        states.stop_execution(executionArn=execution["executionArn"])

    def _swept(self) -> list[str]:
        states, machine = self._scene.root.client("stepfunctions"), self._scene.deployment.sweep_machine
        arns = [each["executionArn"] for each in states.list_executions(stateMachineArn=machine)["executions"]]
        runs = [json.loads(states.describe_execution(executionArn=arn)["input"])["run"] for arn in arns]
        return [run for run in runs if run != "left"]


class OfRunning:
    """Parts that somebody tells of a run that was, who may do what `policy --run` says but for a statement."""

    def __init__(self, scene: Scene, run: str) -> None:
        self._scene = scene
        commands = {
            "Deployment": ("wait", run),
            "Runs": ("ls", "--on", "aws"),
            "Run": ("wait", _QUEUED),
            "Bucket": ("status", run),
            "Objects": ("outputs", run),
            "BucketKey": ("outputs", run),
            "Upload": ("run", "quick.wdl", "f=quick.wdl", "--on", "aws", "--detach"),
            "Logs": ("logs", run),
            "Prices": ("prices", "--refresh"),
        }
        self.parts: dict[tuple[str, str], Part] = {("run", "LogInToImages"): self._log_in}
        self.parts |= {("run", sid): partial(self._command, sid, *words) for sid, words in commands.items()}

    def _command(self, sid: str, *words: str) -> str:
        with self._caller_without(sid) as caller:
            said = self._scene.machine(f"without-{sid}", caller)(*words)
        assert said.status in (1, 2), (said.status, said.err)
        return said.err

    def _log_in(self) -> str:
        """Log in to a registry of ECR's, as a look at an image there begins."""
        with self._caller_without("LogInToImages") as caller:
            ecr.login(access_to(caller), OWN_REGISTRY)
        return ""

    @contextmanager
    def _caller_without(self, sid: str) -> Iterator[Cloud]:
        statements = policy("run", self._scene.wishes, place_of(self._scene.root))["Statement"]
        kept = [each for each in statements if each["Sid"] != sid]
        assert len(kept) == len(statements) - 1
        with allowed(self._scene.root, f"without-{sid}", kept) as caller:
            yield caller
