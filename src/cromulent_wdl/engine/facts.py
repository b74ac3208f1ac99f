"""What an engine is and can do, read from what it says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["EngineFacts", "Kind", "docker_facts", "podman_facts"]

Kind = Literal["docker", "podman"]


@dataclass(frozen=True)
class EngineFacts:
    """An engine, as it was when we connected."""

    kind: Kind
    version: str
    address: str
    cores: int
    memory: int
    """Bytes."""
    rootless: bool = False
    """Root in a container is the invoking user outside."""
    selinux: bool = False
    gpu: bool = False
    limits_cpu: bool = True
    """Whether it can hold a container to its cores."""
    limits_memory: bool = True
    own_cgroups: bool = True
    """Whether each container has a cgroup, so that the figures of its cgroup are its own."""

    @property
    def title(self) -> str:
        """Return what to call it in front of people: `Docker 28.2`."""
        short = ".".join(self.version.split("+")[0].split(".")[:2])
        return f"{self.kind.capitalize()} {short}" + (" (rootless)" if self.rootless else "")


def docker_facts(address: str, info: Mapping[str, Any]) -> EngineFacts:
    """Return the facts in Docker's answer to `/info`."""
    options = {name.split(",")[0] for name in info.get("SecurityOptions") or ()}
    return EngineFacts(
        kind="docker",
        version=str(info.get("ServerVersion", "")),
        address=address,
        cores=int(info.get("NCPU", 0)),
        memory=int(info.get("MemTotal", 0)),
        rootless="name=rootless" in options,
        selinux="name=selinux" in options,
        gpu="nvidia" in (info.get("Runtimes") or {}),
        limits_cpu=bool(info.get("CpuCfsQuota", True)),
        limits_memory=bool(info.get("MemoryLimit", True)),
        own_cgroups=info.get("CgroupDriver") != "none",
    )


def podman_facts(address: str, version: str, info: Mapping[str, Any], nvidia_described: bool) -> EngineFacts:
    """Return the facts in Podman's answer to `/libpod/info`.

    A user's own Podman has only those cgroup controllers that systemd delegates to users, and none at all with
    cgroups of version 1. Devices come by a description of them on the machine (CDI), which the answer does not
    speak of.
    """
    host: Mapping[str, Any] = info["host"]
    security: Mapping[str, Any] = host.get("security") or {}
    controllers = host.get("cgroupControllers") or ()
    return EngineFacts(
        kind="podman",
        version=version,
        address=address,
        cores=int(host["cpus"]),
        memory=int(host["memTotal"]),
        rootless=bool(security.get("rootless")),
        selinux=bool(security.get("selinuxEnabled")),
        gpu=nvidia_described,
        limits_cpu="cpu" in controllers,
        limits_memory="memory" in controllers,
        own_cgroups=bool(controllers),
    )
