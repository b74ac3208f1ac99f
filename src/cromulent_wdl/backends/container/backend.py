"""Runs a task in one container of its own: create, start, wait, remove, and nothing else when all goes well."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ...clock import SYSTEM, Clock
from ...engine import Engine, Image, ImageStore, build_tag
from ...errors import ContainerVanished, EngineError, ImageNotFound
from ...model import Outcome, Resources, Task, TaskImage, TaskStarted, TaskWaiting
from ...storage.layout import BUILD_LOG
from ..figures import Figures, parse
from ..heads import Head
from ..ledger import Ledger, ReservationCancelled
from ..seam import Cancellation, Report
from ..verdict import STOPPED
from .decode import Evidence, outcome_of, outcome_of_error
from .request import Invoker, heir, refusal, repair_request, task_request
from .workspace import has_foreign_files, is_disk_full, prepare, read_usage

__all__ = ["CONTAINER_DIRECTORY", "ContainerBackend"]

CONTAINER_DIRECTORY = "/mnt/miniwdl_task_container"
"""miniwdl's own: commands and outputs of other people's workflows know it."""
_STOPPERS = 8
"""Threads that remove containers when a run is stopped; whoever stops it must not wait for each in turn."""

_log = logging.getLogger(__name__)


class _Stopped(Exception):
    """The task was cancelled while it waited for its image."""


class ContainerBackend:
    """Tasks in containers of Docker or Podman."""

    uses_images = True
    elastic = False
    defaults = Resources()

    def __init__(
        self, engine: Engine, ledger: Ledger, head: Head, pull_attempts: int = 4, clock: Clock = SYSTEM
    ) -> None:
        self.name: str = engine.facts.kind
        self.description: str = engine.facts.title
        self._engine = engine
        self._ledger = ledger
        self._head = head
        self._clock = clock
        self._invoker = Invoker(os.geteuid(), os.getegid(), head.id)
        self._images = ImageStore(engine, pull_attempts, clock)
        self._stoppers = ThreadPoolExecutor(_STOPPERS, "stop container")

    def container_directory(self, directory: Path) -> str:
        """Return the same path for every call: each has a container of its own."""
        return CONTAINER_DIRECTORY

    def image_digest(self, reference: str) -> str | None:
        """Return the digest of the image if the engine has it; nothing is pulled."""
        try:
            image = self._images.present([reference])
        except EngineError:
            return None
        return image.digest if image else None

    def refusal(self, task: Task) -> str | None:
        """Return why the task cannot run in this engine, or None."""
        return refusal(task, self._engine.facts, self._invoker)

    def directory_refusal(self, directory: Path, name: str) -> str | None:
        """Return None: any directory will do."""
        return None

    def resume(self, directory: Path) -> None:
        """Do nothing: the dead head's guardian has ended what it left, or the next head's sweep."""

    def takes_over(self, task: Task, command: str, cancelled: Cancellation, report: Report) -> bool:
        """Return False: what a dead head began has ended with it."""
        return False

    def limits(self) -> tuple[int, int]:
        """Return the engine's cores and memory, which in a virtual machine are not this machine's."""
        return self._engine.facts.cores, self._engine.facts.memory

    def close(self) -> None:
        """Close the connection to the engine."""
        self._stoppers.shutdown()
        self._engine.close()

    def run(self, task: Task, cancelled: Cancellation, report: Report) -> Outcome:
        """Run the task in a container; see the seam."""

        def waiting(why: str) -> None:
            report(TaskWaiting(self._clock.now(), task.call, task.attempt, why))

        try:
            prepare(task)
            image = self._image(task, cancelled, waiting)
            report(TaskImage(self._clock.now(), task.call, task.attempt, image.name, image.digest))
            with self._ledger.reserve(task.resources, cancelled, waiting, task.call):
                if cancelled:
                    return STOPPED
                if task.resources.gpu and not self._engine.facts.gpu:
                    waiting(f"goes on without a GPU: {self.description} is not set up to give containers one")
                return self._attempt(task, partial(self._image, task, cancelled, waiting), cancelled, report)
        except (_Stopped, ReservationCancelled):
            return STOPPED
        except EngineError as error:
            return STOPPED if cancelled else outcome_of_error(error)

    def _image(self, task: Task, cancelled: Cancellation, waiting: Callable[[str], None]) -> Image:
        names = task.images if task.dockerfile is None else (build_tag(task.dockerfile),)
        image = self._images.present(names)
        if image is not None:
            return image
        wait = partial(_result, cancelled)
        if task.dockerfile is not None:
            waiting("building the image of its Dockerfile")
            return self._images.built(task.dockerfile, task.directory / BUILD_LOG, wait)
        waiting(f"pulling image {names[0]}")
        return self._images.pulled(names, wait)

    def _attempt(self, task: Task, obtain: Callable[[], Image], cancelled: Cancellation, report: Report) -> Outcome:
        self._head.uses_engine(self._engine.facts.kind, self._engine.facts.address)
        self._head.guard()
        image, container = self._create(task, obtain)
        removals: list[Future[None]] = []
        try:
            with cancelled.calling(lambda: removals.append(self._stoppers.submit(self._engine.remove, container))):
                self._engine.start(container, image.name)
                report(TaskStarted(self._clock.now(), task.call, task.attempt, container))
                status = self._wait(task, container)
            if cancelled and status:
                return STOPPED
            return outcome_of(task, self._evidence(task, image, container, status))
        finally:
            self._remove(container, removals)
            self._give_back(task, image)

    def _create(self, task: Task, obtain: Callable[[], Image]) -> tuple[Image, str]:
        """Create the container; an image that was removed from the engine since we saw it is obtained again."""
        image = obtain()
        try:
            return image, self._create_from(task, image)
        except ImageNotFound:
            self._images.forget(image.name)
        image = obtain()
        return image, self._create_from(task, image)

    def _create_from(self, task: Task, image: Image) -> str:
        request = task_request(task, image, self._engine.facts, self._invoker, secrets.token_hex(4))
        return self._engine.create(request)

    def _wait(self, task: Task, container: str) -> int:
        """Return the container's exit status, or the one that the wrapper noted if the container is gone."""
        try:
            return self._engine.wait(container)
        except ContainerVanished:
            noted = self._figures(task).exit_code
            if noted is None:
                raise
            return noted

    def _figures(self, task: Task) -> Figures:
        return parse(read_usage(task), self._engine.facts.own_cgroups)

    def _evidence(self, task: Task, image: Image, container: str, status: int) -> Evidence:
        figures = self._figures(task)
        if status == 0:
            return Evidence(status, figures, image.name)
        oom_killed, log = False, ""
        try:
            oom_killed = self._engine.state(container).oom_killed
            log = self._engine.logs(container) if figures.exit_code is None else ""
        except EngineError as error:
            _log.debug("%s: the engine says no more of its container: %s", task.call, error)
        return Evidence(status, figures, image.name, oom_killed, is_disk_full(task), log)

    def _remove(self, container: str, removals: list[Future[None]]) -> None:
        try:
            if removals:
                removals[0].result()
            else:
                self._engine.remove(container)
        except EngineError as error:
            _log.warning("container %s could not be removed: %s", container[:12], error)

    def _give_back(self, task: Task, image: Image) -> None:
        """Give what is still another user's in the working directory to the user who runs us.

        The wrapper has done it, unless it was killed or ran as a user of the image's.
        """
        if not heir(task, self._engine.facts, self._invoker) or not has_foreign_files(task.work, self._invoker.uid):
            return
        request = repair_request(task, image, self._engine.facts, self._invoker, secrets.token_hex(4))
        try:
            container = self._engine.create(request)
            try:
                self._engine.start(container, image.name)
                if self._engine.wait(container) != 0:
                    _log.warning("%s: %s", task.call, self._engine.logs(container))
            finally:
                self._engine.remove(container)
        except EngineError as error:
            _log.warning("%s: some files in %s stay another user's: %s", task.call, task.work, error)


def _result(cancelled: Cancellation, future: Future[Image]) -> Image:
    """Return what the future holds once it is done. Raises _Stopped when cancelled before."""
    awake = threading.Event()
    future.add_done_callback(lambda _: awake.set())
    with cancelled.calling(awake.set):
        awake.wait()
    if not future.done():
        raise _Stopped
    return future.result()
