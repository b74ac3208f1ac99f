"""The shortest part of the story of runs that needs a statement, told when that was taken away from its role or user.

Each returns what is said then, or raises the error that says it; `SAID_OTHERWISE` has the words of those who are told
no action. What a part breaks is asserted here, where the words alone would not show it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from cromulent_wdl.aws import ecr
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.model import Ending, Outcome, Task
from cromulent_wdl.model.cloud_run import HeadRecord
from cromulent_wdl.runs.station import Station
from cromulent_wdl.simulator.settings import ACCOUNT
from cromulent_wdl.storage.bucket import RunKeys
from cromulent_wdl.storage.downloads import Wanted, fetch
from tests.fakes.process_tasks import Events

from .cloud import until
from .deployments import access_to
from .fargate import Lab
from .scenes import READ_TOO, Scene, without
from .test_fargate_endings import task_of

__all__ = ["OWN_REGISTRY", "SAID_OTHERWISE", "OfHead", "Part"]

Part = Callable[[], str]

OWN_REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"

SAID_OTHERWISE: Mapping[tuple[str, str], str] = {
    ("run", "Objects"): "AWS denies it (looking at s3://",
    ("task", "ReadAll"): "access denied by server",
    ("task", "WriteRun"): "access denied by server",
    ("head", "Mount"): "access denied by server",
    ("execution", "Pull"): "403 Forbidden",
    ("head", "ReadOthers"): "cannot be read: AWS denies it",
    ("head", "Read"): "cannot be read: HTTP Error 403",
    ("states", "Watch"): "not authorized to create managed-rule",
    ("rule", "Sweep"): "nobody stops it",
}
"""What is said where AWS names no action: by the mount, by S3 to HEAD, by Step Functions."""


class _Said(logging.Handler):
    """Keeps what the code warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _warnings() -> Iterator[list[str]]:
    said, logger = _Said(), logging.getLogger("cromulent_wdl")
    logger.addHandler(said)
    try:
        yield said.lines
    finally:
        logger.removeHandler(said)


class OfHead:
    """Parts that a head tells: its own statements, and those of the roles that its tasks start with."""

    def __init__(self, scene: Scene, head: Lab) -> None:
        self._scene = scene
        self._head = head
        usual = ("Define", "Look", "Start", "Tag", "GiveRoles", "MakeAccessPoint", "TagAccessPoint", "FindAccessPoints")
        attempts = [("head", each) for each in usual]
        attempts += [("task", each) for each in ("ReadAll", "WriteRun")]
        attempts += [("execution", each) for each in ("LogIn", "Pull", "Log", "Secrets", "SecretsKey")]
        self.parts: dict[tuple[str, str], Part] = {each: self._lacking(each, self._attempt) for each in attempts}
        self.parts |= {
            ("head", "Follow"): self._lacking(("head", "Follow"), self._stop),
            ("head", "Find"): self._take_over,
            ("head", "Quotas"): self._lacking(("head", "Quotas"), self._open),
            ("head", "FreeAddresses"): self._lacking(("head", "FreeAddresses"), self._open),
            ("head", "ReadLogs"): self._lacking(("head", "ReadLogs"), self._last_words),
            ("head", "Mount"): self._lacking(("head", "Mount"), self._begin),
            ("head", "Read"): self._lacking(("head", "Read"), self._begin),
            ("head", "WriteRecords"): self._lacking(("head", "WriteRecords"), self._record),
            ("head", "List"): self._lacking(("head", "List"), self._record),
            ("head", "BucketKey"): self._lacking(("head", "BucketKey"), self._record),
            ("head", "ReadOthers"): self._lacking(("head", "ReadOthers"), self._fetch),
            ("head", "LogInToImages"): self._lacking(("head", "LogInToImages"), self._log_in),
        }

    def well(self) -> None:
        """Tell what most parts tell with nothing missing: it goes well, and nothing is warned of."""
        assert self._attempt() == ""
        self._log_in()

    def _lacking(self, statement: tuple[str, str], part: Part) -> Part:
        def told() -> str:
            with without(self._scene, *statement):
                return part()

        return told

    def _task(self, command: str = "true") -> Task:
        variables = ("PLAIN", "LOCKED")
        secrets = tuple(zip(variables, self._scene.wishes.secrets or (), strict=True))
        return task_of(self._head, command, secrets=secrets, images=(f"{OWN_REGISTRY}/tool:1",))

    def _attempt(self) -> str:
        """Run a task in an image of the account's own, that is given secrets."""
        with _warnings() as said, self._head.backend() as backend:
            outcome = backend.run(self._task(), Cancellation(), Events())
        assert (outcome.ending is Ending.OK) == (not outcome.message)
        return "\n".join(filter(None, [outcome.message, *said]))

    def _stop(self) -> str:
        """Run a task for long, and want to stop it: it goes on, as long as it likes."""
        cancelled, task = Cancellation(), self._task("touch began; sleep 60")
        outcomes: list[Outcome] = []
        with _warnings() as said, self._head.backend(stop_patience=1.0) as backend:
            run = threading.Thread(target=lambda: outcomes.append(backend.run(task, cancelled, Events())))
            run.start()
            name = f"{task.run_directory.name}-"
            (arn,) = until(
                lambda: [each["taskArn"] for each in self._scene.tasks() if name in each.get("startedBy", "")]
            )
            until(lambda: (task.work / "began").exists())  # before that, it would hear of it by the shared disk
            cancelled.cancel()
            run.join(30)
        assert [each.ending for each in outcomes] == [Ending.STOPPED]
        assert self._scene.task(arn, "RUNNING")
        self._scene.root.client("ecs").stop_task(cluster=self._scene.deployment.cluster, task=arn)
        return "\n".join(said)

    def _take_over(self) -> str:
        """Be the second head of a run."""
        task = self._task()
        with self._head.backend() as backend:
            assert backend.run(task, Cancellation(), Events()).ending is Ending.OK
        with without(self._scene, "head", "Find"), self._head.backend() as backend:
            return backend.run(task, Cancellation(), Events()).message

    def _open(self) -> str:
        """Begin: what is not known of the account is told."""
        with _warnings() as said, self._head.backend():
            return "\n".join(said)

    def _last_words(self) -> str:
        """Have a task whose wrapper cannot write to the disk, and says so in its log."""
        task = self._task("sleep 60")
        task.stdout.unlink()
        task.stdout.mkdir()
        with _warnings() as said, self._head.backend() as backend:
            outcome = backend.run(task, Cancellation(), Events())
        assert "cannot be written" not in outcome.message + task.stderr.read_text()
        return "\n".join(said)

    def _begin(self) -> str:
        """Start a head, which does not get to its program."""
        stopped = self._scene.task(arn := self._scene.start_head(), "STOPPED")
        assert stopped["containers"][0].get("exitCode") != 0
        group, stream = self._scene.deployment.log_group, f"head/head/{arn.rpartition('/')[2]}"
        logs = self._scene.root.client("logs")
        if stopped["stopCode"] == "TaskFailedToStart":
            return str(stopped["stoppedReason"])
        lines = until(lambda: logs.get_log_events(logGroupName=group, logStreamName=stream)["events"])
        return "\n".join(each["message"] for each in lines)

    def _record(self) -> str:
        """Say in the bucket that a head is here."""
        station = Station(access_to(self._head.cloud), self._scene.deployment.bucket, RunKeys("part"), lambda: None)
        station.open(HeadRecord("", 0.0, "", ""))
        return ""

    def _log_in(self) -> str:
        """Log in to a registry of ECR's, as a look at an image there begins."""
        assert ecr.login(access_to(self._head.cloud), OWN_REGISTRY) is not None
        return ""

    def _fetch(self) -> str:
        """Get an input from a bucket of `--read-bucket`."""
        fetch(access_to(self._head.cloud), [Wanted(f"s3://{READ_TOO}/a.txt")], self._scene.directory / "inputs")
        return ""
