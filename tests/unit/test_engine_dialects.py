"""One request in the two languages, and what engines say of themselves."""

from __future__ import annotations

import struct
from contextlib import closing
from typing import Any

import docker

from cromulent_wdl.engine import Bind, ContainerRequest
from cromulent_wdl.engine.dialects import PodmanDialect, docker_body, podman_body
from cromulent_wdl.engine.facts import docker_facts, podman_facts
from tests.fakes.http_server import Answer, in_turn, serving

MINIMAL = ContainerRequest("name", "sha256:1", ("/bin/sh",), "/work")
MAXIMAL = ContainerRequest(
    name="name",
    image="sha256:1",
    entrypoint=("/bin/sh", "-c", "x"),
    working_directory="/work",
    binds=(Bind("/a, b", "/c"), Bind("/w", "/work", writable=True)),
    labels={"k": "v"},
    environment={"E": "a=b"},
    user="1:2",
    groups=("3",),
    cpu=2,
    memory=10,
    memory_limit=20,
    network="lab",
    gpu=True,
    all_capabilities=True,
    confined=False,
)


def test_docker_everything() -> None:
    assert docker_body(MAXIMAL) == {
        "Image": "sha256:1",
        "Entrypoint": ["/bin/sh", "-c", "x"],
        "Cmd": [],
        "WorkingDir": "/work",
        "User": "1:2",
        "Env": ["E=a=b"],
        "Labels": {"k": "v"},
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "Mounts": [
                {"Type": "bind", "Source": "/a, b", "Target": "/c", "ReadOnly": True},
                {"Type": "bind", "Source": "/w", "Target": "/work", "ReadOnly": False},
            ],
            "GroupAdd": ["3"],
            "NanoCpus": 2_000_000_000,
            "MemoryReservation": 10,
            "Memory": 20,
            "MemorySwap": 20,
            "NetworkMode": "lab",
            "DeviceRequests": [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}],
            "CapAdd": ["ALL"],
            "SecurityOpt": ["label=disable"],
        },
    }


def test_podman_everything() -> None:
    assert podman_body(MAXIMAL) == {
        "name": "name",
        "image": "sha256:1",
        "entrypoint": ["/bin/sh", "-c", "x"],
        "command": [],
        "work_dir": "/work",
        "user": "1:2",
        "groups": ["3"],
        "env": {"E": "a=b"},
        "labels": {"k": "v"},
        "healthconfig": {"Test": ["NONE"]},
        "mounts": [
            {"type": "bind", "source": "/a, b", "destination": "/c", "options": ["rbind", "ro"]},
            {"type": "bind", "source": "/w", "destination": "/work", "options": ["rbind", "rw"]},
        ],
        "resource_limits": {
            "cpu": {"quota": 200_000, "period": 100_000},
            "memory": {"reservation": 10, "limit": 20, "swap": 20},
        },
        "netns": {"nsmode": "bridge"},
        "networks": {"lab": {}},
        "devices": [{"path": "nvidia.com/gpu=all"}],
        "cap_add": ["ALL"],
        "selinux_opts": ["disable"],
    }


def test_what_is_not_asked_for_is_left_to_the_engine() -> None:
    assert docker_body(MINIMAL)["HostConfig"] == {"Mounts": [], "GroupAdd": []}
    silent = {"resource_limits", "netns", "networks", "devices", "cap_add", "selinux_opts"}
    assert not silent & podman_body(MINIMAL).keys()


def test_secrets_are_not_shown() -> None:
    assert "a=b" not in repr(MAXIMAL)


def info(**changes: Any) -> dict[str, Any]:
    """Return what Podman 4.3 answered, as far as it matters."""
    host = {
        "cpus": 2,
        "memTotal": 25276514304,
        "cgroupVersion": "v2",
        "cgroupControllers": ["cpu", "memory", "pids"],
        "security": {"rootless": False, "selinuxEnabled": False},
    }
    return {"host": {**host, **changes}}


def test_docker_facts() -> None:
    said = {
        "ServerVersion": "20.10.24+dfsg1",
        "NCPU": 2,
        "MemTotal": 25276514304,
        "SecurityOptions": ["name=seccomp,profile=default", "name=selinux", "name=rootless"],
        "Runtimes": {"nvidia": {}, "runc": {}},
        "CpuCfsQuota": True,
        "MemoryLimit": False,
        "CgroupDriver": "none",
    }
    facts = docker_facts("unix:///d.sock", said)
    assert (facts.kind, facts.cores, facts.memory) == ("docker", 2, 25276514304)
    assert facts.title == "Docker 20.10 (rootless)"
    assert facts.selinux and facts.gpu and facts.limits_cpu
    assert not facts.limits_memory and not facts.own_cgroups


def test_podman_facts() -> None:
    facts = podman_facts("unix:///p.sock", "4.3.1", info(), nvidia_described=False)
    assert (facts.kind, facts.title, facts.cores, facts.memory) == ("podman", "Podman 4.3", 2, 25276514304)
    assert facts.limits_cpu and facts.limits_memory and facts.own_cgroups
    assert not (facts.rootless or facts.selinux or facts.gpu)


def test_a_users_own_podman_limits_what_systemd_delegates() -> None:
    rootless = {"rootless": True, "selinuxEnabled": True}
    facts = podman_facts("", "4.9.3", info(cgroupControllers=["memory", "pids"], security=rootless), True)
    assert facts.title == "Podman 4.9 (rootless)"
    assert facts.selinux and facts.gpu and facts.limits_memory and facts.own_cgroups
    assert not facts.limits_cpu


def test_a_users_own_podman_without_cgroups() -> None:
    facts = podman_facts("", "4.3.1", info(cgroupVersion="v1", cgroupControllers=[]), False)
    assert not (facts.limits_cpu or facts.limits_memory or facts.own_cgroups)


def test_what_podman_says_instead_of_a_log_is_no_part_of_it() -> None:
    """It may have begun to answer with the log when it fails, as its own error's text says."""
    first, rest = _frame(1, b"one\n"), _frame(2, b"two\n") + _frame(1, b"three\n")
    failed = b'{"cause":"no such process","message":"failed to obtain logs for Container","response":500}'
    answers = in_turn(Answer(body=first + failed), Answer(body=b"0"), Answer(body=first + rest))
    with serving(answers) as server, closing(docker.APIClient(server.url, version="1.41")) as api:
        said = [each for each in PodmanDialect("4.3.1").output(api, "c")]
    assert said == [(1, b"one\n"), (2, b"two\n"), (1, b"three\n")]
    assert server.paths[1] == "/v4.3.1/libpod/containers/c/wait?interval=20ms"


def _frame(stream: int, content: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(content)) + content
