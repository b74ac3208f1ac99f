"""The Fargate backend: what it is asked through the seam, and the runs that it has opened."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

from ...errors import CromulentError
from ...model import Ending, Outcome, Resources, Task
from ...storage.layout import FARGATE_RUN
from ...units import MIB
from ..once import Once
from ..seam import Cancellation, Report
from ..verdict import STOPPED
from . import memo, wrapper
from .attempt import Run
from .cloud import Cloud
from .errand import Asked, Errand
from .farewell import stop_the_rest, stop_what_is_left
from .gate import Cancelled
from .patience import OutOfPatience, Patience
from .site import Site, not_mountable, not_shared, open_site
from .sizes import Size, defaulted, no_size, size_for
from .verdict import outcome_of_error
from .wrapper import find_attempt

__all__ = ["FargateBackend"]

_NO_CAP = 10**6, 10**18
_log = logging.getLogger(__name__)


class FargateBackend:
    """Runs tasks as ECS tasks on Fargate."""

    name = "fargate"
    uses_images = True
    elastic = True

    def __init__(self, cloud: Cloud) -> None:
        deployment = cloud.deployment
        self.description = f"Fargate, deployment {deployment.name} in {deployment.region}"
        self._cloud = cloud
        self._sites: Once[Path, Site] = Once()
        self._resumed: list[Path] = []
        settings = cloud.settings
        self._default = int(settings.default_cpu * 1024), settings.default_memory
        self.defaults = Resources(cpu=max(1, int(settings.default_cpu)), memory=settings.default_memory * MIB)

    def container_directory(self, directory: Path) -> str:
        """Return the directory itself: tasks see the run under the head's own path."""
        return str(directory)

    def image_digest(self, reference: str) -> str | None:
        """Return the digest that the registry has for an image, or None where it does not say."""
        return self._cloud.images.digest(reference)

    def refusal(self, task: Task) -> str | None:
        """Return in one sentence why the task cannot run on Fargate, or None."""
        if task.dockerfile is not None:
            return "its image is built from an inline Dockerfile, which Fargate cannot; push it to a registry"
        if not task.images:
            return "it names no image, and there is no default one"
        if task.resources.gpu:
            return "it asks for a GPU, which Fargate does not have"
        if task.privileged or task.network:
            return "it asks for a privileged container, or a network of its own, which Fargate does not have"
        cpu, memory = defaulted(task.resources, *self._default)
        if size_for(cpu, memory, task.resources.disk) is None:
            return no_size(cpu, memory, task.resources.disk)
        return wrapper.refusal(task)

    def directory_refusal(self, directory: Path, name: str) -> str | None:
        """Return why no run can be in a directory that tasks do not see, or that EFS lets nobody mount."""
        shared = self._cloud.files.around(directory.absolute())
        return not_shared(directory) if shared is None else not_mountable(shared, directory / name)

    def resume(self, directory: Path) -> None:
        """Remember a run that goes on; see the seam."""
        if (directory / FARGATE_RUN).exists():
            self._resumed.append(directory)

    def takes_over(self, task: Task, command: str, cancelled: Cancellation, report: Report) -> bool:
        """Whether `run` takes over what an earlier head began; see the seam."""
        try:
            return self._run(task, cancelled, report).takes_over(command)
        except Cancelled:
            return False
        except (CromulentError, OSError, OutOfPatience) as error:
            _log.warning("%s: what an earlier head left of it cannot be taken over: %s", task.call, error)
            return False

    def run(self, task: Task, cancelled: Cancellation, report: Report) -> Outcome:
        """Run the task on Fargate; see the seam."""
        if cancelled:
            return STOPPED
        try:
            return self._run(task, cancelled, report).run(self._size(task))
        except Cancelled:
            return STOPPED
        except OutOfPatience as error:
            return Outcome(Ending.THROTTLED, message=str(error), final=True)
        except CromulentError as error:
            return STOPPED if cancelled else outcome_of_error(error)
        except OSError as error:
            return Outcome(Ending.MOUNT, message=f"the task's files could not be made ready: {error}")

    def limits(self) -> tuple[int, int]:
        """Return no limits: what no size can hold is refused, not made smaller."""
        return _NO_CAP

    def close(self) -> None:
        """Stop what earlier heads left and nobody has taken over, wait until it has stopped, and end the threads."""
        opened = dict(self._sites.items())
        for directory, site in opened.items():
            stop_the_rest(self._cloud, directory, site.survivors)
            site.leave()
        for directory in self._resumed:
            if directory not in opened:  # since none of its calls had to be done
                stop_what_is_left(self._cloud, directory)
        self._cloud.gate.close()
        self._cloud.monitor.close()

    def _run(self, task: Task, cancelled: Cancellation, report: Report) -> Run:
        """Return an attempt of a run, which the first of its tasks opens. Raises Cancelled, OutOfPatience, AwsError."""
        attempt = find_attempt(task.run_directory, memo.key_of_attempt(task))
        errand = Errand(task, attempt, cancelled, report, self._cloud.clock)
        patience = Patience(self._cloud.settings, errand)
        open_run = partial(self._open, task.run_directory, errand.asked)
        site = patience.heeding(lambda _: self._sites.get(task.run_directory, open_run))
        return Run(self._cloud, site, errand, patience)

    def _size(self, task: Task) -> Size:
        size = size_for(*defaulted(task.resources, *self._default), task.resources.disk)
        assert size is not None  # else it was refused
        return size

    def _open(self, directory: Path, asked: Asked) -> Site:
        site = open_site(self._cloud, directory, asked)
        self._cloud.monitor.listen(partial(wrapper.take_ended, directory))
        return site
