"""What registries say of images, each asked once; silence is no answer, and holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Overdue  # Python 3.10 has two of them
from dataclasses import replace
from functools import partial

from ..aws import ecr
from ..aws.access import Access
from ..backends.fargate.images import choose
from ..clock import SYSTEM, Clock
from ..engine.registries import Login, Manifest, Reference, Registry, parse_reference
from ..errors import (
    AwsError,
    CredentialsError,
    EngineError,
    EngineUnavailable,
    ImageDenied,
    ImageNotFound,
    ImagePullFailed,
)

__all__ = ["login_by", "looking_up"]


def login_by(access: Access) -> Login:
    """Return what logs in to registries of ECR's as the caller, where he may."""

    def login(host: str) -> tuple[str, str] | None:
        try:
            return ecr.login(access, host)
        except (AwsError, CredentialsError):
            return None  # the registry will say that it wants one

    return login


def looking_up(login: Login, clock: Clock = SYSTEM, patience: float = 5.0) -> Callable[[str], Manifest]:
    """Return what looks images up for the length of a plan, with the size for Fargate.

    Registries that do not answer are waited for as many seconds, all together.

    It raises ImageNotFound, ImageDenied, and EngineUnavailable or ImagePullFailed where nothing is known.
    """
    known: dict[str, Manifest | EngineError] = {}
    silent: set[str] = set()
    left = patience

    def ask(name: str) -> Manifest | EngineError:
        nonlocal left
        reference = parse_reference(name)
        if reference.host in silent or left <= 0:
            return EngineUnavailable(f"{reference.host} does not answer")
        began = clock.monotonic()
        try:
            return _answer(partial(_ask, name, reference, login, left), left)
        except (ImageNotFound, ImageDenied) as error:
            return error
        except (EngineUnavailable, ImagePullFailed, Overdue) as error:
            silent.add(reference.host)
            left -= clock.monotonic() - began
            return error if isinstance(error, ImagePullFailed) else EngineUnavailable(f"{reference.host} is silent")

    def look(name: str) -> Manifest:
        if name not in known:
            known[name] = ask(name)
        answer = known[name]
        if isinstance(answer, EngineError):
            raise answer
        return answer

    return look


def _answer(question: Callable[[], Manifest], patience: float) -> Manifest:
    """Ask in a thread of its own: a host may have many addresses, and none of them answer."""
    answer: Future[Manifest] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            answer.set_exception(error)

    threading.Thread(target=ask, name="cromulent-registry", daemon=True).start()
    return answer.result(patience)


def _ask(name: str, reference: Reference, login: Login, silence: float) -> Manifest:
    registry = Registry(reference.host, login, silence)
    try:
        manifest = registry.manifest(reference)
        architecture = choose(name, manifest, "").architecture
        return replace(manifest, size=_size(registry, reference, manifest, architecture))
    finally:
        registry.close()


def _size(registry: Registry, reference: Reference, manifest: Manifest, architecture: str) -> int:
    try:
        return registry.size(reference, manifest, architecture)
    except (EngineUnavailable, ImagePullFailed):
        return 0  # nobody needs it
