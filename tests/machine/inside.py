"""Start Docker and Podman, load the test images, run the command, stop them again. Runs in its own namespaces."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
import requests

from cromulent_wdl.clock import SYSTEM
from tests.engine.images.archive import image_archive
from tests.engine.images.busybox import UBUNTU_TAG, busybox_image
from tests.fakes.registry import PORTS as REGISTRY_PORTS

VARIANTS_TAG = "cromulent-examples/variants:1"
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # of <linux/sockios.h> and <linux/if.h>
SECONDS_TO_START = 60
SECONDS_TO_STOP = 20
# Limits are not raised, containers get the network that is there, and locks are not shared with another Podman.
CONTAINERS_CONF = """\
[containers]
default_ulimits = []
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
"""
# The registries that tests of pulling play have no certificate.
REGISTRIES_CONF = "\n".join(
    f"""\
[[registry]]
location = "127.0.0.1:{port}"
insecure = true
"""
    for port in REGISTRY_PORTS
)


@dataclass(frozen=True)
class Engine:
    """One engine of our own: how to start it, and where it then listens."""

    name: str
    command: tuple[str, ...]
    address: str
    environment: Mapping[str, str]


def main(directory: Path, command: list[str]) -> int:
    """Run the command with engines that live in the directory, and return its exit status."""
    _bring_up_loopback()
    engines = (docker_engine(directory), podman_engine(directory))
    processes = [_start(engine, directory) for engine in engines]
    try:
        for engine, process in zip(engines, processes, strict=True):
            _wait_until_ready(engine, process, directory)
        _load_images(engines, directory)
        return _run(command, {"DOCKER_HOST": engines[0].address, "CONTAINER_HOST": engines[1].address})
    finally:
        for engine, process in zip(engines, processes, strict=True):
            _stop(engine, process)


def _bring_up_loopback() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))


def docker_engine(directory: Path) -> Engine:
    """Describe a Docker that touches neither the machine's network nor another Docker."""
    address = f"unix://{directory}/docker.sock"
    command = ("dockerd", "--iptables=false", "--bridge=none", "--host", address)
    places = (f"--data-root={directory}/docker", f"--exec-root={directory}/docker-run")
    marks = (f"--pidfile={directory}/docker.pid", f"--cgroup-parent=/{directory.name}")
    return Engine("docker", (*command, *places, *marks), address, {})


def podman_engine(directory: Path) -> Engine:
    """Describe a Podman service with stores and settings of its own."""
    settings = directory / "containers.conf"
    settings.write_text(CONTAINERS_CONF)
    registries = directory / "registries.conf"
    registries.write_text(REGISTRIES_CONF)
    address = f"unix://{directory}/podman.sock"
    places = (f"--root={directory}/podman", f"--runroot={directory}/podman-run", f"--tmpdir={directory}/podman-tmp")
    command = ("podman", *places, "system", "service", "--time=0", address)
    environment = {"CONTAINERS_CONF": str(settings), "CONTAINERS_REGISTRIES_CONF": str(registries)}
    return Engine("podman", command, address, environment)


def _log(engine: Engine, directory: Path) -> Path:
    return directory / f"{engine.name}.log"


def _start(engine: Engine, directory: Path) -> subprocess.Popen[bytes]:
    with _log(engine, directory).open("wb") as log:
        environment = {**os.environ, **engine.environment}
        return subprocess.Popen(
            engine.command,
            cwd=directory,  # where a container is killed for memory, Podman leaves a file
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the command, and the engines outlive it by a moment
        )


def _wait_until_ready(engine: Engine, process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = SYSTEM.monotonic() + SECONDS_TO_START
    listening = Path(engine.address.removeprefix("unix://"))
    while process.poll() is None and SYSTEM.monotonic() < deadline:
        if listening.exists() and _answers(engine):
            return
        SYSTEM.sleep(0.1)
    last_lines = _log(engine, directory).read_text(errors="replace").splitlines()[-20:]
    sys.exit(f"{engine.name} did not start:\n" + "\n".join(last_lines))


def _answers(engine: Engine) -> bool:
    try:
        return bool(docker.DockerClient(base_url=engine.address, version="auto").ping())
    except (docker.errors.DockerException, requests.RequestException):
        return False


def _load_images(engines: tuple[Engine, ...], directory: Path) -> None:
    variants = (directory / "variants.tar").read_bytes()
    for image in (busybox_image(UBUNTU_TAG), image_archive(variants, [VARIANTS_TAG])):
        for engine in engines:
            # Not `client.images.load`: it cannot read what Podman answers for an image with two names.
            list(docker.DockerClient(base_url=engine.address).api.load_image(image))


def _run(command: list[str], addresses: Mapping[str, str]) -> int:
    # An interrupt reaches the command too, which says the last word; ignoring it here would make it deaf as well.
    # SIGTERM reaches us alone.
    signal.signal(signal.SIGINT, lambda *_: None)
    process = subprocess.Popen(command, env={**os.environ, **addresses})
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    return process.wait(timeout=None)  # the one outside the namespaces ends it


def _stop(engine: Engine, process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None and _answers(engine):
        for container in docker.DockerClient(base_url=engine.address).containers.list(all=True, ignore_removed=True):
            container.remove(force=True)
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
