"""Starts an attempt's ECS task: down the ladder until AWS has room, with the reason said while it has none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import msgspec

from ...aws import quotas
from ...aws.decode import CONTAINER, EcsTask, ending_of_failure
from ...aws.ecs import Answer
from ...errors import AwsError
from ...model import EcsTaskLaunched, Ending, Outcome, TaskImage, TaskPlaced
from ...units import MIB
from ..budget import over_budget
from . import memo
from .cloud import Cloud
from .errand import Errand
from .images import AMD64, Chosen
from .ladder import SPOT, Rung, providers, rungs
from .patience import Patience
from .request import ARCHITECTURES, STREAM_PREFIX, Blueprint, Launch, launch_of
from .site import Site
from .sizes import Size, rounding
from .turns import Need

__all__ = ["Launched", "Launcher", "needs_of", "over_quota", "place_of", "queue_of", "stream_of"]

_INDEX = re.compile(r"\[\d+\]")
_STREAMS = f"{STREAM_PREFIX}/{CONTAINER}/"
"""What the names of log streams begin with, before the id of the ECS task."""


class OverBudget(Exception):
    """The run has cost as much as it may."""


class _DefinitionGone(AwsError):
    """AWS does not know the task definition any more."""


@dataclass(frozen=True)
class Launched:
    """An ECS task that was started, and the room that it takes."""

    task: EcsTask
    need: Need


@dataclass(frozen=True)
class _NoRoom:
    """Where AWS had no room for a task, and why."""

    rung: Rung
    failure: str


def place_of(provider: str) -> str:
    """Return the journal's word for a capacity provider."""
    return "spot" if provider == SPOT else "on_demand"


def queue_of(call: str, rung: Rung) -> str:
    """Return the name under which tasks wait one after the other: all of a scatter's for one place share a queue."""
    return f"{_INDEX.sub('', call)} {rung.provider}"


def needs_of(size: Size, *, spot: bool) -> tuple[Need, ...]:
    """Return what room a task of a size takes, the room that it would rather have first."""
    return tuple(Need(provider, size.vcpus) for provider in providers(spot=spot))


def over_quota(why: str, region: str) -> Outcome:
    """Return the outcome of a task that is larger than all that the account may run."""
    link = quotas.request_link(region, quotas.ON_DEMAND)
    return Outcome(Ending.QUOTA, message=f"{why}; to ask AWS for more: {link}")


def stream_of(ecs: EcsTask) -> str:
    """Return the name of the task's log stream, known before it starts (facts: awslogs stream)."""
    return f"{_STREAMS}{ecs.identity}"


class Launcher:
    """Launches one attempt."""

    def __init__(self, cloud: Cloud, site: Site, errand: Errand, patience: Patience, size: Size) -> None:
        self._cloud = cloud
        self._site = site
        self._errand = errand
        self._task = errand.task
        self._size = size
        self._tries = 0
        self._patience = patience
        self._image = Chosen("", "", AMD64)

    def launch(self) -> Launched | Outcome:
        """Start the attempt's task and return it, or how the attempt ended where there is no room, or no money.

        Raises Cancelled, OutOfPatience, AwsError, ImageNotFound.
        """
        try:
            return self._launch()
        except OverBudget as error:
            return Outcome(Ending.BUDGET, message=str(error))

    def _launch(self) -> Launched | Outcome:
        self._image = self._cloud.images.chosen(self._task)
        ladder = rungs(self._cloud.deployment.subnets, self._site.next_turn(), spot=self._task.preemptible)
        round_ = 0
        while True:
            round_ += 1
            for rung in ladder:
                answer = self._try(rung)
                if isinstance(answer, Launched):
                    return answer
                ending, words = ending_of_failure(answer.failure)
                self._errand.waiting(f"{answer.rung}: {words}", "capacity")
            if not self._patience.lasts("no room anywhere", round_):
                return Outcome(ending, message=words)

    def need_of(self, ecs: EcsTask) -> Need:
        """Return what room a task takes."""
        return Need(ecs.provider, self._size.vcpus)

    def join(self, ecs: EcsTask) -> None:
        """Count in a task that runs already."""
        self._cloud.gate.join(self.need_of(ecs))

    def tell_again(self, task: str) -> None:
        """Tell of an earlier head's launch, which goes on in this head's part of the journal, by its ARN or its id.

        That head may have died before it told of it; for what it was it is told again by what was written down.
        """
        self._tell(memo.terms(self._errand.attempt.directory), task)

    def _try(self, rung: Rung) -> Launched | _NoRoom:
        """Start the task on one rung, or on demand where Spot's quota is used up; return why not where AWS says so."""
        try:
            return self._by(self._definition(), rung)
        except _DefinitionGone:
            return self._by(self._definition(), rung)

    def _by(self, definition: str, rung: Rung) -> Launched | _NoRoom:
        """Do so by a definition, which is had before its turn: it can take long, and meanwhile others have theirs.

        Raises _DefinitionGone where somebody has removed it; the run forgets it then.
        """
        admission = self._cloud.gate.enter(
            queue_of(self._task.call, rung),
            needs_of(self._size, spot=rung.provider == SPOT),
            self._errand.cancelled,
            partial(self._errand.waiting, on="room"),
        )
        need, rung = admission.need, replace(rung, provider=admission.need.provider)
        try:
            self._keep_to_budget()
            terms, answer = self._run_task(definition, rung, admission.instead)
            if answer.task is None:
                self._cloud.gate.leave(need)
                return _NoRoom(rung, answer.failure)
        except BaseException:
            self._cloud.gate.leave(need)
            raise
        with suppress(OSError):  # it runs, whatever can be written down of it
            memo.note_launch(self._errand.attempt.directory, answer.task)
        self._tell(terms, answer.task.arn)
        return Launched(answer.task, need)

    def _keep_to_budget(self) -> None:
        """Raise OverBudget where the run may cost no more: when its turn has come, which may be hours later."""
        limit = self._cloud.settings.max_cost
        if limit and (refusal := over_budget(self._cloud.spent(self._task.run_directory), limit)):
            raise OverBudget(refusal)

    def _run_task(self, definition: str, rung: Rung, instead: str) -> tuple[tuple[memo.LaunchEvent, ...], Answer]:
        """Start the task. Raises _DefinitionGone."""
        terms = self._terms(rung, definition, instead)
        memo.note_terms(self._errand.attempt.directory, terms)
        try:
            return terms, self._asked(rung, definition)
        except AwsError as error:
            if "TaskDefinition" not in str(error):
                raise
            self._site.definitions.forget(self._blueprint)
            raise _DefinitionGone(str(error), code=error.code) from error

    def _definition(self) -> str:
        """Return the ARN of the run's definition for the task; of all tasks that want it, one asks AWS."""
        return self._patience.heeding(lambda _: self._site.definitions.arn(self._blueprint))

    def _asked(self, rung: Rung, definition: str) -> Answer:
        """Return what RunTask answers. AWS that asks for fewer calls is a place without room: that passes.

        The request stays the same, its token too: nobody knows what became of those before.
        """
        request = self._request(rung, definition)
        return self._patience.heeding(lambda round_: self._cloud.ecs.run_task(request, rung.provider, paid=not round_))

    @cached_property
    def _blueprint(self) -> Blueprint:
        return self._cloud.images.blueprint(self._image, self._task, self._site.access_point)

    def _request(self, rung: Rung, definition: str) -> Mapping[str, Any]:
        self._tries += 1
        launch = Launch(
            definition=definition,
            size=self._size,
            script=str(self._errand.attempt.script),
            provider=rung.provider,
            subnet=rung.subnet,
            security_group=self._cloud.settings.security_group or self._cloud.deployment.security_group,
            token=self._token(),
            started_by=self._site.name,
            call=self._task.call,
        )
        return launch_of(self._cloud.deployment, launch)

    def _token(self) -> str:
        """Return the same for the same launch, so that a repeated request starts nothing twice."""
        content = f"{self._site.name}/{self._errand.attempt.key}/{self._tries}"
        return hashlib.sha256(content.encode()).hexdigest()[:64]

    def _image_event(self) -> tuple[TaskImage, ...]:
        """Return the event of the task's image, where its digest is known."""
        task, image = self._task, self._image
        if not image.digest:
            return ()
        return (TaskImage(self._cloud.clock.now(), task.call, task.attempt, image.name, image.digest),)

    def _terms(self, rung: Rung, definition: str, instead: str) -> tuple[memo.LaunchEvent, ...]:
        """Return what is to be told of a launch once AWS has carried it out, without the task's id."""
        task, size, deployment, now = self._task, self._size, self._cloud.deployment, self._cloud.clock.now()
        why = ", ".join(filter(None, (str(rung), instead, str(size), rounding(task.resources, size))))
        if task.architecture not in ("", self._image.architecture):
            why += f"; the image was not built for {task.architecture}"
        # What was asked: the launch tells what was given, and `cost` what the difference costs.
        asked = task.resources
        placed = TaskPlaced(
            at=now,
            call=task.call,
            attempt=task.attempt,
            backend="fargate",
            why=why,
            cpu=asked.cpu,
            memory=asked.memory,
            memory_limit=asked.memory_limit,
            disk=asked.disk or None,
        )
        launched = EcsTaskLaunched(
            at=now,
            call=task.call,
            attempt=task.attempt,
            task=f"{definition.partition(':task-definition/')[0]}:task/{deployment.cluster}/",
            place=place_of(rung.provider),
            region=deployment.region,
            architecture=ARCHITECTURES[self._image.architecture],
            cpu=size.vcpus,
            memory=size.memory * MIB,
            storage=size.disk,
            public_address=deployment.assign_public_ip,
            subnet=rung.subnet,
            log_group=deployment.log_group,
            log_stream=_STREAMS,
            why=why,
        )
        return (*self._image_event(), placed, launched)

    def _tell(self, terms: tuple[memo.LaunchEvent, ...], task: str) -> None:
        """Tell of a launch, of the ECS task with this ARN or id."""
        now, identity = self._cloud.clock.now(), task.rpartition("/")[2]
        for event in terms:
            if isinstance(event, EcsTaskLaunched):
                arn = task if task != identity else event.task + identity
                event = msgspec.structs.replace(event, task=arn, log_stream=event.log_stream + identity)
            self._errand.report(msgspec.structs.replace(event, at=now))
