"""What an engine says when it refuses, in our words: one table, the first row that fits wins.

The texts are those of Docker 20 to 28 and Podman 3 to 5, with runc and crun; most come to us through the
engine from a registry or a runtime, so the HTTP status says little.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..errors import (
    ContainerVanished,
    EngineDiskFull,
    EngineError,
    EngineUnavailable,
    ImageBuildFailed,
    ImageNotFound,
    ImagePullFailed,
    MountFailed,
    NoShell,
)

__all__ = ["Operation", "decode", "unreachable"]

Operation = Literal["inspect", "pull", "build", "create", "start", "wait", "remove", "list", "logs", "signal"]

_ANY: frozenset[Operation] = frozenset()
_IMAGE: frozenset[Operation] = frozenset({"pull", "create", "inspect"})
_REGISTRY: frozenset[Operation] = frozenset({"pull", "build"})
_RUN: frozenset[Operation] = frozenset({"create", "start"})


@dataclass(frozen=True)
class _Row:
    pattern: str
    during: frozenset[Operation]
    error: type[EngineError]
    sentence: str
    hint: str | None = None


_TABLE = (
    _Row(
        r"no space left on device|disk quota exceeded",
        _ANY,
        EngineDiskFull,
        "the engine has no space left on its disk for {subject}",
        "free some with `docker system prune` or `podman system prune`",
    ),
    _Row(
        r"exec format error",
        _RUN,
        NoShell,
        "image {subject} is for another kind of processor than this machine's",
        "use an image that was built for this machine's processor",
    ),
    _Row(
        r"bind source path does not exist|statfs .*no such file|invalid mount|mounts denied|error mounting"
        r"|error during container init.*mount|failed to mount|not a shared mount|mkdir .*(read-only|permission denied)"
        r"|error stat'ing file",
        _RUN,
        MountFailed,
        "a file or directory could not be mounted",
    ),
    _Row(
        r"executable file .*not found|exec: .*(no such file|not found)|command that was not found"
        r"|exec: .*permission denied|OCI permission denied.*/bin/sh",
        _RUN,
        NoShell,
        "image {subject} has no /bin/sh, so no command can run in it",
        "use an image with a shell",
    ),
    _Row(
        r"returned a non-zero code|while running runtime|exit status",
        frozenset({"build"}),
        ImageBuildFailed,
        "a command of the task's Dockerfile failed",
    ),
    _Row(
        r"invalid reference format|repository name (must|cannot)|invalid (repository|index) name",
        _IMAGE,
        ImageNotFound,
        "{subject} is no name that an image can have",
    ),
    _Row(
        r"toomanyrequests|too many requests|rate ?limit",
        _REGISTRY,
        ImagePullFailed,
        "the registry lets us pull {subject} no more for now",
        "log in to the registry (`docker login`, `podman login`) for a higher limit",
    ),
    _Row(
        r"pull access denied|requested access .*denied|unauthorized|authentication required|no basic auth|forbidden",
        _IMAGE,
        ImageNotFound,
        "image {subject} does not exist, or may not be read without logging in",
        "check its name; for a private one `docker login` or `podman login`",
    ),
    _Row(
        r"no such image|image not known|manifest unknown|manifest for .*not found|name unknown|not found: manifest"
        r"|repository .*not found|no matching manifest|did not resolve to an alias|/manifests/.*not found"
        r"|reading manifest .*not found",
        _IMAGE,
        ImageNotFound,
        "image {subject} does not exist",
        "check its name and tag",
    ),
    _Row(
        r"no such container|no container with",
        _ANY,
        ContainerVanished,
        "the container was removed while its command ran",
    ),
    _Row(
        r"no such host|server misbehaving|connection (refused|reset)|time(d )?out|deadline exceeded"
        r"|TLS handshake|unexpected EOF|network is unreachable|temporary failure|\b50[0234]\b|service unavailable",
        _REGISTRY,
        ImagePullFailed,
        "the registry of {subject} does not answer",
    ),
)

_DEFAULTS: dict[Operation, tuple[type[EngineError], str]] = {
    "pull": (ImagePullFailed, "image {subject} could not be pulled"),
    "build": (ImageBuildFailed, "the task's Dockerfile does not build"),
}


def decode(operation: Operation, subject: str, message: str) -> EngineError:
    """Return the error that the engine's message amounts to; `subject` is the image or container spoken of."""
    message = " ".join(message.split())
    for row in _TABLE:
        if (not row.during or operation in row.during) and re.search(row.pattern, message, re.IGNORECASE):
            return row.error(f"{row.sentence.format(subject=subject)} ({message})", hint=row.hint)
    error, sentence = _DEFAULTS.get(operation, (EngineError, f"the engine refused to {operation} {{subject}}"))
    return error(f"{sentence.format(subject=subject)} ({message})")


def unreachable(address: str, reason: str) -> EngineUnavailable:
    """Return the error for an engine that was there and answers no more."""
    return EngineUnavailable(f"the container engine at {address} does not answer any more ({reason})")
