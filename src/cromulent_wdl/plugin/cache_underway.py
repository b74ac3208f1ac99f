"""What a thread knows of the call that it has asked the cache for, until the call's result is put.

miniwdl asks and puts in the call's own thread, and tells of the downloads in between only by their URIs.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

import msgspec
from WDL import Env, Value
from WDL.runtime.cache import CallCacheAddPaths

from .cache_key import CallKey, InputPath, leaves
from .cache_place import Image

__all__ = ["Made", "Pending", "beside", "last_hit_origin", "note_download", "underway"]


class Pending(msgspec.Struct):
    """A call that has been asked for and not been found."""

    key: str
    seen: dict[InputPath, str]
    """Fingerprints of the inputs when the call began; a URI that was not downloaded is not among them."""
    asked: CallKey | None = None
    """What was looked for, if anything was."""
    fetched: dict[str, InputPath] = {}
    """What the call has had downloaded."""


class Made(msgspec.Struct, frozen=True):
    """How a result was made."""

    run_dir: str
    image: Image | None
    fetched: dict[str, InputPath]
    paths: CallCacheAddPaths


class _Thread(threading.local):
    pending: Pending | None = None
    origin: str | None = None


underway = _Thread()


def last_hit_origin() -> str | None:
    """Return the directory of the call that made this thread's last result, if that came from the cache."""
    return underway.origin


def note_download(uri: str, directory: bool, local: str) -> None:
    """Note for the call under way where a download of its lies."""
    if underway.pending is not None:
        underway.pending.fetched[uri.rstrip("/") + "/" * directory] = InputPath(local.rstrip("/"), directory)


def beside(inputs: Env.Bindings[Value.Base], fetched: Mapping[str, InputPath]) -> dict[str, InputPath]:
    """Return what of the downloads is none of the inputs."""
    if not fetched:
        return {}
    uris = {leaf.value.rstrip("/") for binding in inputs for leaf in leaves(binding.value)}
    return {uri: path for uri, path in fetched.items() if uri.rstrip("/") not in uris}
