"""Every image that tasks run in: looked up, pulled or built once a process, however many tasks want it.

Pulls and builds run in threads of their own, so a task that is stopped can leave while others go on waiting.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..clock import SYSTEM, Clock
from ..errors import EngineError, ImageNotFound, ImagePullFailed
from .client import Engine

__all__ = ["Image", "ImageStore", "build_tag"]


@dataclass(frozen=True)
class Image:
    """An image that the engine has, under the name that it was asked for by."""

    name: str
    id: str
    digest: str
    """Of the registry it came from (`sha256:…`), else the id."""


Wait = Callable[["Future[Image]"], Image]
"""Blocks until the future is done and returns or raises what it holds; may raise something of its own before."""


class ImageStore:
    """The images of one engine."""

    def __init__(self, engine: Engine, pull_attempts: int, clock: Clock = SYSTEM) -> None:
        self._engine = engine
        self._pull_attempts = pull_attempts
        self._clock = clock
        self._known: dict[str, Image] = {}
        self._under_way: dict[str, Future[Image]] = {}
        self._lock = threading.Lock()
        self._building = threading.Lock()

    def present(self, names: Sequence[str]) -> Image | None:
        """Return the first of the images that the engine has already."""
        for name in names:
            image = self._known.get(name) or self._look_up(name)
            if image is not None:
                return image
        return None

    def pulled(self, names: Sequence[str], wait: Wait) -> Image:
        """Return the first of the images that can be pulled.

        Raises ImagePullFailed when trying later may help with one of them, else the first one's error.
        """
        errors: list[EngineError] = []
        for name in names:
            try:
                return wait(self._once(name, partial(self._pull, name)))
            except (ImageNotFound, ImagePullFailed) as error:
                errors.append(error)
        raise next((error for error in errors if isinstance(error, ImagePullFailed)), errors[0])

    def built(self, dockerfile: str, log: Path, wait: Wait) -> Image:
        """Build the image of the Dockerfile, which is called `build_tag(dockerfile)`; one is built at a time.

        Raises ImageBuildFailed and ImagePullFailed.
        """
        tag = build_tag(dockerfile)
        return wait(self._once(tag, partial(self._build, dockerfile, tag, log)))

    def forget(self, name: str) -> None:
        """Look the image up again next time: the engine says it has it no more."""
        self._known.pop(name, None)

    def _look_up(self, name: str) -> Image | None:
        found = self._engine.image(name)
        if found is None:
            return None
        # An image may have come from several registries; the least of its digests is the same every time.
        digests = [name] if "@" in name else sorted(found.digests)
        digest = digests[0].partition("@")[2] if digests else found.id
        image = self._known[name] = Image(name, found.id, digest)
        return image

    def _once(self, name: str, make: Callable[[], Image]) -> Future[Image]:
        """Start making the image, or join whoever is at it."""
        with self._lock:
            future = self._under_way.get(name)
            if future is not None:
                return future
            future = self._under_way[name] = Future()
        # Not a pool's thread: Python waits for those at exit, and a pull that nobody wants any more may take long.
        threading.Thread(target=self._make, args=(name, make, future), name=f"image {name}", daemon=True).start()
        return future

    def _make(self, name: str, make: Callable[[], Image], future: Future[Image]) -> None:
        try:
            result = make()
        except BaseException as error:  # noqa: BLE001 - the top of a thread; whoever waits gets it
            future.set_exception(error)
        else:
            future.set_result(result)
        finally:
            with self._lock:
                del self._under_way[name]

    def _pull(self, name: str) -> Image:
        if name in self._known:  # whoever was at it has just finished
            return self._known[name]
        for attempt in range(1, self._pull_attempts + 1):
            try:
                self._engine.pull(name)
                break
            except ImagePullFailed:
                if attempt == self._pull_attempts:
                    raise
                self._clock.sleep(2.0 ** (attempt - 1))
        return self._arrived(name)

    def _build(self, dockerfile: str, tag: str, log: Path) -> Image:
        with self._building:
            if tag in self._known:
                return self._known[tag]
            self._engine.build(dockerfile, tag, log)
        return self._arrived(tag)

    def _arrived(self, name: str) -> Image:
        image = self._look_up(name)
        if image is None:
            raise ImageNotFound(f"image {name} was pulled or built, but the engine does not have it")
        return image


def build_tag(dockerfile: str) -> str:
    """Return the name of the Dockerfile's image: the same text has the same name."""
    digest = hashlib.sha256(dockerfile.encode()).digest()[:15]
    return "cromulent_auto:" + base64.b32encode(digest).decode().lower()
