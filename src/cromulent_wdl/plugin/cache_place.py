"""Where tasks run, as far as the call cache must know it: in which image, or with this machine's own programs.

Whoever runs a task in a container says in which image (`remember_image`); whoever chooses the backend says how an
image's present digest is found, or that there are no containers (`set_image_resolver`).
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Union

import msgspec

__all__ = [
    "Image",
    "ImageResolver",
    "Place",
    "current_place",
    "place_parts",
    "remember_image",
    "remember_images",
    "set_image_resolver",
    "take_image",
]

ImageResolver = Callable[[str], Union[str, None]]
"""Returns the digest that an image reference has here and now, or None where it is not known. Raises nothing."""

_OF_THE_MOMENT = frozenset({"CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "CONDA_SHLVL", "CONDA_PROMPT_MODIFIER"})
"""What a process task inherits that says how much it is granted, or how a prompt looks."""


class Image(msgspec.Struct, frozen=True):
    """The image that a task ran in."""

    reference: str
    digest: str


class Place(msgspec.Struct, frozen=True):
    """Where the tasks of this process run; without `resolve`, as processes of this machine."""

    resolve: ImageResolver | None


def place_parts(in_container: bool, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of the place belongs to a call's key.

    For a container little, as its image is judged by the entry. For a process this machine, and the environment that
    the command inherits and that chooses its programs.
    """
    if in_container:
        return {"place": "container"}
    from ..backends.process.environment import command_environment

    inherited = command_environment(environment, {}, head="")
    chooses = {name: value for name, value in inherited.items() if name not in _OF_THE_MOMENT}
    return {"place": "process", "machine": socket.gethostname(), **chooses}


_lock = threading.Lock()
_images: dict[str, Image] = {}
_place: Place | None = None
_earlier: dict[str, str] = {}
"""Digests of images by the names under which tasks of an earlier head of the run had them."""


def remember_image(run_dir: str, image: str, digest: str) -> None:
    """Take note of the image that the call in `run_dir` runs in; the last attempt's counts."""
    with _lock:
        _images[os.path.realpath(run_dir)] = Image(image, digest)


def remember_images(digests: Mapping[str, str]) -> None:
    """Take note of the images of an earlier head of the run; they count where it is not known what a name is now."""
    _earlier.update(digests)


def take_image(run_dir: str) -> Image | None:
    """Return and forget the image of the call in `run_dir`; None for a call without a container."""
    if not _images:
        return None
    with _lock:
        return _images.pop(os.path.realpath(run_dir), None)


def set_image_resolver(resolver: ImageResolver | None) -> None:
    """Say where this process runs its tasks: in containers, whose images `resolver` looks up, or, by None, not so."""
    global _place
    _place = Place(partial(_resolved, resolver) if resolver else None)


def _resolved(resolver: ImageResolver, reference: str) -> str | None:
    return resolver(reference) or _earlier.get(reference)


def current_place() -> Place | None:
    """Return what was last said, or None while nothing has been."""
    return _place
