"""One attempt at one task, from its files to its end: what the backend does, step by step, blocking its thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence, Set
from contextlib import suppress

from ...aws.decode import KILLED, EcsTask
from ...aws.log_streams import Looks, drain
from ...config import Settings
from ...errors import AwsDenied, AwsError, CromulentError
from ...model import EcsTaskStopped, Ending, Outcome, TaskImage, TaskStarted
from ..verdict import STOPPED
from . import memo
from .cloud import Cloud
from .collecting import await_result, collect
from .errand import Errand
from .following import Followed, Follower
from .gate import Cancelled
from .launching import Launched, Launcher, needs_of, over_quota, place_of, stream_of
from .patience import OutOfPatience, Patience
from .site import Site
from .sizes import Size
from .staging import stage_inputs
from .stopping import stop, stop_all
from .verdict import End, outcome_of
from .wrapper import Limits, prepare_attempt, read_result, revoke, task_of_claim

__all__ = ["Run"]

_REPLACED = "Another attempt takes its place"
_log = logging.getLogger(__name__)


class Run:
    """Runs one attempt."""

    def __init__(self, cloud: Cloud, site: Site, errand: Errand, patience: Patience) -> None:
        self._cloud = cloud
        self._site = site
        self._errand = errand
        self._patience = patience
        self._task = errand.task
        self._attempt = errand.attempt
        self._began = False
        self._follower = Follower(cloud, errand, self._tell_began)

    def takes_over(self, command: str) -> bool:
        """Whether an earlier head's attempt goes on, or has left its result; if not, it is fenced and stopped."""
        directory = self._attempt.directory
        if not memo.same(directory, self._fingerprint(command)):
            self.clear()
            return False
        if read_result(self._attempt) is not None or self._site.survivors.has(self._attempt.key):
            return True
        self.clear()
        return False

    def clear(self) -> None:
        """Fence and stop whatever earlier heads left of the call."""
        left = self._site.survivors.take_call(memo.call_prefix(self._task))
        if self._attempt.directory.is_dir():
            revoke(self._attempt)
            self._stop_unseen({each.arn for each in left})
        if left:
            self._errand.waiting("stopping what an earlier head of the run left of it")
            self._stop(left)

    def _stop_unseen(self, seen: Set[str]) -> None:
        """Have the attempt's task stopped where ECS, which may hide a young one for a while, has not shown it.

        It is not waited for: without its claim it begins nothing, and what it has begun nobody uses.
        """
        directory = self._attempt.directory
        task = memo.launched(directory)
        if not task or task in seen or memo.stopped(directory, task) or read_result(self._attempt) is not None:
            return
        try:
            for each in self._site.living(self._attempt.key, [task]):  # tasks can write what was written down, too
                stop(self._cloud, each.arn, self._attempt, _REPLACED)
        except AwsError as error:
            _log.warning(
                "%s: whether %s runs cannot be asked now; it has lost its claim: %s", self._task.call, task, error
            )

    def _stop(self, tasks: Sequence[EcsTask]) -> None:
        """Stop tasks that another attempt takes the place of, and wait until they are over."""
        stop_all(self._cloud, self._task.run_directory, tasks, _REPLACED)

    def run(self, size: Size) -> Outcome:
        """Run the attempt to its end, or take over what an earlier head has begun. Raises CromulentError, OSError."""
        if self._attempt.directory.is_dir():
            return self._take_over(size)
        if why := self._cloud.gate.refusal(needs_of(size, spot=self._task.preemptible)):
            return over_quota(why, self._cloud.deployment.region)
        self.clear()
        try:
            stage_inputs(self._task, self._site.shared, self._cloud.files.window, self._site.copies, self._errand.asked)
            self._prepare()
            launched = self._launch(size)
        except (Cancelled, InterruptedError):
            return STOPPED
        if isinstance(launched, Outcome):
            return launched
        return self._watched(launched, size)

    def _launch(self, size: Size) -> Launched | Outcome:
        try:
            return self._launcher(size).launch()
        except OutOfPatience as error:
            self._abandon()
            return Outcome(Ending.THROTTLED, message=str(error), final=True)
        except CromulentError:
            self._abandon()
            raise

    def _abandon(self) -> None:
        """Fence a launch of which nobody knows whether AWS carried it out, and stop what it has started.

        If it was, its task finds the claim taken and ends; or it has claimed before, and is found by the run's name.
        """
        if revoke(self._attempt) is None:
            return
        try:
            self._stop(self._site.started(self._attempt.key))
        except CromulentError as error:
            _log.warning(
                "%s: AWS does not say whether a task of it runs; it has lost its claim: %s", self._task.call, error
            )

    def _launcher(self, size: Size) -> Launcher:
        return Launcher(self._cloud, self._site, self._errand, self._patience, size)

    def _prepare(self) -> None:
        settings = self._cloud.settings
        limits = Limits(self._task.timeout, settings.deadline_grace, settings.stop_timeout, settings.fence_pause)
        prepare_attempt(self._task, self._attempt.key, limits)
        fingerprint = self._fingerprint(self._task.command.read_text(errors="surrogateescape"))
        memo.note_attempt(self._attempt.directory, self._task, fingerprint)

    def _fingerprint(self, command: str) -> str:
        return memo.fingerprint_of(self._task, command, self._site.key)

    def _take_over(self, size: Size) -> Outcome:
        holder = task_of_claim(self._attempt)
        survivors = sorted(self._site.survivors.take(self._attempt.key), key=lambda each: each.identity != holder)
        for each in survivors[1:]:  # none of which can have, or get, the claim once the first has it
            stop(self._cloud, each.arn, None, _REPLACED)
        launcher = self._launcher(size)
        if survivors:
            launcher.tell_again(survivors[0].arn)
            launcher.join(survivors[0])
            if read_result(self._attempt) is not None:  # the earlier head has taken away the name that says so
                self._cloud.monitor.left_results((self._attempt.key,))
            self._errand.waiting("taken over from an earlier head of the run")
            return self._watched(Launched(survivors[0], launcher.need_of(survivors[0])), size)
        # The launcher may have died before it wrote down which task it was.
        if task := memo.launched(self._attempt.directory) or task_of_claim(self._attempt):
            launcher.tell_again(task)
        return self._settle(Followed(self._remembered(task)), size)

    def _remembered(self, task: str | None) -> EcsTask | None:
        """Return what is known of a task that has left its result: by ECS, or by the head that saw its end."""
        try:
            seen = self._cloud.ecs.describe_all([task]).tasks if task else ()
        except AwsError as error:
            _log.warning("%s: how its ECS task ended cannot be asked now: %s", self._task.call, error)
            seen = ()
        return seen[0] if seen else memo.stopped(self._attempt.directory, task or "")

    def _watched(self, launched: Launched, size: Size) -> Outcome:
        """Wait until the task is over, and settle it. The room that it takes is given back."""
        try:
            with self._cloud.monitor.watching(launched.task.arn, self._attempt.key) as ticket:
                followed = self._follower.follow(ticket)
            if followed.ecs is None:
                self._note_forgotten(launched.task.arn)
            return self._settle(followed, size)
        finally:
            self._cloud.gate.leave(launched.need)

    def _settle(self, followed: Followed, size: Size) -> Outcome:
        """Say how the attempt ended, with all that is to be remembered of it written down."""
        ecs, patience = followed.ecs, self._cloud.settings.result_wait
        result = await_result(self._attempt, self._cloud.clock, _patience_with(ecs, self._cloud.settings))
        if ecs is not None:
            self._tell_began(ecs)
            self._note_stop(ecs)
        if result is None:
            revoke(self._attempt)  # nobody knows whether it will still be started
            self._fetch_log(ecs)
        if result is not None or (ecs is not None and ecs.exit_code == 0):  # whose result the disk is late to show
            self._collect(patience)
        return outcome_of(End(self._task, followed, result, size))

    def _fetch_log(self, ecs: EcsTask | None) -> None:
        """Add what the container said to the task's standard error: the shared disk never heard of it."""
        if ecs is None or ecs.started_at is None or ecs.exit_code == 0:
            return
        clock, deployment = self._cloud.clock, self._cloud.deployment
        until = (ecs.stopped_at or clock.now()) + self._cloud.settings.log_wait
        try:
            lines = drain(
                self._cloud.access,
                deployment.log_group,
                stream_of(ecs),
                Looks(until, self._cloud.settings.log_pause),
                clock=clock,
                stopping=lambda: bool(self._errand.cancelled),
            )
            if lines:
                with self._task.stderr.open("a") as stderr:
                    stderr.writelines(f"{line}\n" for line in lines)
        except (AwsError, OSError) as error:
            level = logging.WARNING if isinstance(error, AwsDenied) else logging.INFO
            _log.log(level, "%s: its log cannot be read: %s", self._task.call, error)

    def _collect(self, patience: float) -> None:
        """Wait until the head sees all that the command has left, and have links lead where the head can follow."""
        window, clock = self._cloud.files.window, self._cloud.clock
        try:
            missing = collect(self._task, self._attempt, self._site.shared, window, clock, patience)
        except OSError as error:
            _log.warning("%s: what it left cannot be read: %s", self._task.call, error)
            return
        if missing:
            _log.warning("%s: %d files that it wrote do not show: %s", self._task.call, len(missing), missing[0])

    def _note_stop(self, ecs: EcsTask) -> None:
        deployment = self._cloud.deployment
        with suppress(OSError):
            memo.note_stop(self._attempt.directory, ecs, deployment.log_group, stream_of(ecs))
        if ecs.image_digest and not self._cloud.images.digest(self._task.images[0]):
            image = self._task.images[0] if self._task.images else ""
            self._errand.report(
                TaskImage(self._cloud.clock.now(), self._task.call, self._task.attempt, image, ecs.image_digest)
            )
        self._errand.report(
            EcsTaskStopped(
                at=self._cloud.clock.now(),
                call=self._task.call,
                attempt=self._task.attempt,
                task=ecs.arn,
                place=place_of(ecs.provider),
                zone=ecs.zone,
                created_at=ecs.created_at,
                pull_started_at=ecs.pull_started_at,
                pull_stopped_at=ecs.pull_stopped_at,
                started_at=ecs.started_at,
                stopped_at=ecs.stopped_at,
                stop_code=ecs.stop_code,
                reason=ecs.reason,
                container_reason=ecs.container_reason,
                exit_code=ecs.exit_code,
            )
        )

    def _note_forgotten(self, arn: str) -> None:
        """Journal the end of a task of which ECS has no record to show."""
        self._errand.report(EcsTaskStopped(self._cloud.clock.now(), self._task.call, self._task.attempt, arn))

    def _tell_began(self, ecs: EcsTask) -> None:
        if not self._began and ecs.started_at is not None:
            self._began = True
            self._errand.report(TaskStarted(ecs.started_at, self._task.call, self._task.attempt, ecs.identity))


def _patience_with(ecs: EcsTask | None, settings: Settings) -> float:
    """Return for how long a result is to be waited for: one that was killed has most likely left none."""
    patience = settings.result_wait
    if ecs is None:
        return patience
    if ecs.exit_code is None or ecs.started_at is None:
        return 0.0
    return min(patience, settings.killed_wait) if ecs.exit_code == KILLED else patience
