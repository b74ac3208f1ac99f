"""What an engine is asked to run: one container, in no engine's own language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CALL_LABEL", "HEAD_LABEL", "IMAGE_LABEL", "RUN_LABEL", "Bind", "ContainerRequest"]

HEAD_LABEL = "cromulent.head"
RUN_LABEL = "cromulent.run"
CALL_LABEL = "cromulent.call"
IMAGE_LABEL = "cromulent.image"
"""The image's name; the container itself is made from its id, which no tag that moves can change."""


@dataclass(frozen=True)
class Bind:
    """A file or directory of this host, seen under `target` in the container."""

    source: str
    target: str
    writable: bool = False


@dataclass(frozen=True)
class ContainerRequest:
    """One container; zero and empty mean what the engine and the image say."""

    name: str
    image: str
    entrypoint: tuple[str, ...]
    """Takes the place of the image's entrypoint and command."""
    working_directory: str
    command: tuple[str, ...] = ()
    """Takes the place of the image's command."""
    binds: tuple[Bind, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Beside what the image sets. Left out of `repr`: it may hold secrets."""
    user: str = ""
    groups: tuple[str, ...] = ()
    """Supplementary groups, by number."""
    cpu: float = 0
    """Cores that it may use at most."""
    memory: int = 0
    """Bytes that it keeps when memory is short."""
    memory_limit: int = 0
    """Bytes, swap included, at which it is killed."""
    network: str = ""
    gpu: bool = False
    """All of the machine's NVIDIA devices."""
    all_capabilities: bool = False
    tmpfs: Mapping[str, int] = field(default_factory=dict)
    """Bytes of each file system in memory, by its path."""
    read_only: bool = False
    """Whether its root cannot be written to."""
    init: bool = False
    """Whether a small process of the engine's is its first, which passes signals on and reaps."""
    confined: bool = True
    """False lifts SELinux's separation, without which it could not read the files mounted."""
