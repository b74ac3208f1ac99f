"""The image that a task runs in: which digest its name stands for, for which machine, and what opens its registry.

Each name is looked up once a process. A registry that does not answer, or not to us, holds up nobody: the task then
goes by the name, and Fargate, which may know the password, pulls what it finds.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from functools import partial

from ...aws import ecr
from ...aws.access import Access
from ...config import Settings
from ...engine.registries import Manifest, Registry, parse_reference
from ...errors import AwsDenied, AwsError, CredentialsError, EngineUnavailable, ImageNotFound, ImagePullFailed
from ...model import Task
from ..once import Once
from .request import Blueprint

__all__ = ["AMD64", "Chosen", "Images", "choose"]

AMD64, ARM64 = "amd64", "arm64"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """The image of one task."""

    name: str
    """As the workflow has it."""
    digest: str
    """Empty where neither the registry nor the name says."""
    architecture: str


def choose(name: str, manifest: Manifest | None, asked: str) -> Chosen:
    """Return the image for the machine that was asked for, or else for one that it was built for. Pure.

    Raises ImageNotFound where it was built for none that Fargate has, or its name is none.
    """
    if manifest is None:
        return Chosen(name, parse_reference(name).digest, asked or AMD64)  # a name may have one in it
    built_for = manifest.architectures
    wanted = [each for each in (asked, AMD64, ARM64) if each and (each in built_for or not built_for)]
    if not wanted:
        raise ImageNotFound(f"image {name} was built for {', '.join(sorted(built_for))}, which Fargate does not have")
    return Chosen(name, manifest.digest, wanted[0])


class Images:
    """The images of this process's tasks. Safe to use from any thread."""

    def __init__(self, access: Access, settings: Settings) -> None:
        self._access = access
        self._settings = settings
        self._manifests: Once[str, Manifest | None] = Once()
        self._secrets = dict(each.partition("=")[::2] for each in settings.registries)
        self._silent: set[str] = set()
        """Hosts that did not answer."""
        self._asking: dict[str, threading.Lock] = {}

    def digest(self, name: str) -> str | None:
        """Return the digest that a name stands for, or None where that is not known."""
        try:
            manifest = self._manifest(name)
            return (manifest.digest if manifest else parse_reference(name).digest) or None
        except ImageNotFound:
            return None

    def chosen(self, task: Task) -> Chosen:
        """Return the first of the task's images that there is. Raises ImageNotFound where there is none."""
        missing: ImageNotFound | None = None
        for name in task.images:
            try:
                return choose(name, self._manifest(name), task.architecture)
            except ImageNotFound as error:
                missing = missing or error
        assert missing is not None  # a task without images was refused
        raise missing

    def blueprint(self, chosen: Chosen, task: Task, access_point: str) -> Blueprint:
        """Return what the task's definition is made from."""
        reference = parse_reference(chosen.name)
        return Blueprint(
            image=reference.at(chosen.digest) if chosen.digest else chosen.name,
            architecture=chosen.architecture,
            user=f"{os.geteuid()}:{os.getegid()}" if task.as_user else "",
            access_point=access_point,
            run_directory=str(task.run_directory),
            registry_secret=self._secrets.get(reference.host, ""),
            secrets=task.secrets,
            stop_timeout=self._settings.stop_timeout,
        )

    def _manifest(self, name: str) -> Manifest | None:
        if not self._settings.image_digests:
            return None
        return self._manifests.get(name, partial(self._ask, name))

    def _ask(self, name: str) -> Manifest | None:
        reference = parse_reference(name)
        with self._asking.setdefault(reference.host, threading.Lock()):
            if reference.host in self._silent:
                return None
            registry = Registry(reference.host, self._login, self._settings.registry_wait)
            try:
                return registry.manifest(reference)
            except (EngineUnavailable, ImagePullFailed) as error:
                if isinstance(error, EngineUnavailable):
                    self._silent.add(reference.host)
                _log.info("the digest of image %s is not known: %s", name, error)
                return None
            finally:
                registry.close()

    def _login(self, host: str) -> tuple[str, str] | None:
        try:
            return ecr.login(self._access, host)
        except (AwsError, CredentialsError) as error:
            level = logging.WARNING if isinstance(error, AwsDenied) else logging.INFO
            _log.log(level, "%s cannot be logged in to: %s", host, error)
            return None
