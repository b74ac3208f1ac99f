"""What is said differently to Docker and to Podman: how a container is asked for, awaited, heard and removed.

Podman speaks Docker's language too, but loses something in each: it joins a mount's paths with commas into
an option text, so that a comma or a quote in a file's name ends the name; it makes a directory where a mount's
source is missing; it looks only four times a second whether a container has ended; and it gives a container ten
seconds to leave when it is to be removed by force. Hence its own API there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING, Protocol

from .request import ContainerRequest

if TYPE_CHECKING:
    import docker
    import requests

__all__ = ["Dialect", "DockerDialect", "PodmanDialect", "Said", "docker_body", "podman_body"]

JSON = dict[str, object]
Said = tuple[int, bytes]
"""A piece of a container's standard output (1) or standard error (2)."""

_CFS_PERIOD = 100_000
_NO_HEALTH_CHECK = ["NONE"]
_FRAME = Struct(">BxxxL")
"""The head of a frame: the number of its stream, and its length."""
_STREAMS = (1, 2)
_A_WHILE = 3.0
_SOON, _LATER = "20ms", "250ms"
"""How often Podman looks whether a container has ended; every look costs it a third of a millisecond."""


class Dialect(Protocol):
    """What Docker and Podman say differently. Raises the `docker` library's errors."""

    def create(self, api: docker.APIClient, request: ContainerRequest) -> str:
        """Create the container and return its id."""

    def wait(self, api: docker.APIClient, container: str) -> int:
        """Block until the container has ended, however long that takes, and return its exit status."""

    def output(self, api: docker.APIClient, container: str) -> Iterator[Said]:
        """Yield what the container says, from its beginning, until it has ended."""

    def remove(self, api: docker.APIClient, container: str) -> None:
        """Kill the container at once and remove it with its anonymous volumes."""


def docker_body(request: ContainerRequest) -> JSON:
    """Return the body of Docker's `POST /containers/create`."""
    return {
        "Image": request.image,
        **_program(request, "Entrypoint", "Cmd"),
        "WorkingDir": request.working_directory,
        "User": request.user,
        "Env": [f"{name}={value}" for name, value in request.environment.items()],
        "Labels": dict(request.labels),
        "Healthcheck": {"Test": _NO_HEALTH_CHECK},
        "HostConfig": {**_docker_limits(request), **_docker_surroundings(request)},
    }


def _docker_limits(request: ContainerRequest) -> JSON:
    limits: JSON = {}
    if request.cpu:
        limits["NanoCpus"] = round(request.cpu * 1_000_000_000)
    if request.memory:
        limits["MemoryReservation"] = request.memory
    if request.memory_limit:
        limits["Memory"] = limits["MemorySwap"] = request.memory_limit
    return limits


def _docker_surroundings(request: ContainerRequest) -> JSON:
    host: JSON = {
        "Mounts": [
            {"Type": "bind", "Source": bind.source, "Target": bind.target, "ReadOnly": not bind.writable}
            for bind in request.binds
        ],
        "GroupAdd": list(request.groups),
    }
    if request.network:
        host["NetworkMode"] = request.network
    if request.gpu:
        host["DeviceRequests"] = [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}]
    if request.all_capabilities:
        host["CapAdd"] = ["ALL"]
    if not request.confined:
        host["SecurityOpt"] = ["label=disable"]
    if request.tmpfs:
        host["Tmpfs"] = {path: f"size={size},mode=1777" for path, size in request.tmpfs.items()}
    if request.read_only:
        host["ReadonlyRootfs"] = True
    if request.init:
        host["Init"] = True
    return host


def podman_body(request: ContainerRequest) -> JSON:
    """Return the body of Podman's `POST /libpod/containers/create`."""
    body: JSON = {
        "name": request.name,
        "image": request.image,
        **_program(request, "entrypoint", "command"),
        "work_dir": request.working_directory,
        "user": request.user,
        "groups": list(request.groups),
        "env": dict(request.environment),
        "labels": dict(request.labels),
        "healthconfig": {"Test": _NO_HEALTH_CHECK},
        "mounts": _podman_mounts(request),
    }
    limits = _podman_limits(request)
    if limits:
        body["resource_limits"] = limits
    return {**body, **_podman_surroundings(request)}


def _podman_mounts(request: ContainerRequest) -> list[JSON]:
    binds: list[JSON] = [
        {
            "type": "bind",
            "source": bind.source,
            "destination": bind.target,
            "options": ["rbind", "rw" if bind.writable else "ro"],
        }
        for bind in request.binds
    ]
    for path, size in request.tmpfs.items():
        binds.append({"type": "tmpfs", "destination": path, "options": [f"size={size}", "mode=1777"]})
    return binds


def _podman_surroundings(request: ContainerRequest) -> JSON:
    body: JSON = {}
    if request.network in ("none", "host", "bridge"):
        body["netns"] = {"nsmode": request.network}
    elif request.network:
        body["netns"] = {"nsmode": "bridge"}
        body["networks"] = {request.network: {}}
    if request.gpu:
        body["devices"] = [{"path": "nvidia.com/gpu=all"}]
    if request.all_capabilities:
        body["cap_add"] = ["ALL"]
    if not request.confined:
        body["selinux_opts"] = ["disable"]
    if request.read_only:
        body["read_only_filesystem"] = True
    if request.init:
        body["init"] = True
    return body


def _program(request: ContainerRequest, entrypoint: str, command: str) -> JSON:
    """Return the members for what is to run; what is left out is the image's."""
    if request.entrypoint:
        return {entrypoint: list(request.entrypoint), command: list(request.command)}
    return {command: list(request.command)} if request.command else {}


def _podman_limits(request: ContainerRequest) -> JSON:
    limits: JSON = {}
    memory: JSON = {}
    if request.cpu:
        limits["cpu"] = {"quota": round(request.cpu * _CFS_PERIOD), "period": _CFS_PERIOD}
    if request.memory:
        memory["reservation"] = request.memory
    if request.memory_limit:
        memory["limit"] = memory["swap"] = request.memory_limit
    if memory:
        limits["memory"] = memory
    return limits


class DockerDialect:
    """Docker's."""

    def create(self, api: docker.APIClient, request: ContainerRequest) -> str:
        """Create the container and return its id."""
        created = api.create_container_from_config(docker_body(request), request.name)
        return str(created["Id"])

    def wait(self, api: docker.APIClient, container: str) -> int:
        """Block in the engine's own wait."""
        answer = api.wait(container, timeout=None)
        complaint = answer.get("Error")
        return _status(answer["StatusCode"], complaint["Message"] if complaint else "")

    def output(self, api: docker.APIClient, container: str) -> Iterator[Said]:
        """Follow the log."""
        yield from _log(api, container, follow=True)

    def remove(self, api: docker.APIClient, container: str) -> None:
        """Remove the container by force."""
        api.remove_container(container, force=True, v=True)


class PodmanDialect:
    """Podman's own, of the version that the engine said it speaks."""

    def __init__(self, version: str) -> None:
        self._prefix = f"/v{version}/libpod/containers"

    def create(self, api: docker.APIClient, request: ContainerRequest) -> str:
        """Create the container and return its id."""
        answer = api.post(f"{api.base_url}{self._prefix}/create", json=podman_body(request), timeout=api.timeout)
        return str(_checked(answer).json()["Id"])

    def wait(self, api: docker.APIClient, container: str) -> int:
        """Block in the engine's wait, having it look often for a while, since most tasks are short."""
        import requests

        wait = f"{api.base_url}{self._prefix}/{container}/wait"
        try:
            answer = api.post(f"{wait}?interval={_SOON}", timeout=_A_WHILE)
        except requests.ReadTimeout:
            answer = api.post(f"{wait}?interval={_LATER}", timeout=None)
        return _status(int(_checked(answer).text))

    def output(self, api: docker.APIClient, container: str) -> Iterator[Said]:
        """Follow the log; Podman may leave off before the last lines, so what is missing is read at the end."""
        read: Counter[int] = Counter()
        for stream, chunk in _log(api, container, follow=True):
            read[stream] += len(chunk)
            yield stream, chunk
        self.wait(api, container)
        for stream, chunk in _log(api, container, follow=False):
            known = min(read[stream], len(chunk))
            read[stream] -= known
            if missed := chunk[known:]:
                yield stream, missed

    def remove(self, api: docker.APIClient, container: str) -> None:
        """Remove the container by force, without grace."""
        removal = f"{api.base_url}{self._prefix}/{container}?force=true&timeout=0&v=true"
        _checked(api.delete(removal, timeout=api.timeout))


def _log(api: docker.APIClient, container: str, *, follow: bool) -> Iterator[Said]:
    """Yield what is in the container's log, and, if asked, what comes into it.

    Docker's library gives the frames of the answer without their heads, which tell the streams apart (Docker's API,
    ContainerAttach). A task's two streams are written at the same time, and a line of one is not to end in the other.
    """
    address = f"{api.base_url}/v{api.api_version}/containers/{container}/logs"
    asked = {"stdout": "1", "stderr": "1", "follow": str(int(follow))}
    patience = None if follow else api.timeout
    with _checked(api.get(address, params=asked, stream=True, timeout=patience)) as answer:
        while len(head := answer.raw.read(_FRAME.size)) == _FRAME.size:
            stream, length = _FRAME.unpack(head)
            if stream not in _STREAMS:  # an error's text: Podman may lose sight of a container that ends meanwhile
                return
            yield stream, answer.raw.read(length)


def _status(status: int, complaint: str = "") -> int:
    """Return the status of a container that ended, or raise for one that was removed while it was waited on."""
    from docker.errors import NotFound

    if complaint or status < 0:
        raise NotFound(complaint, explanation=complaint or "no such container")
    return status


def _checked(answer: requests.Response) -> requests.Response:
    """Return the answer, or raise the `docker` library's error for it as that library would."""
    import requests
    from docker.errors import create_api_error_from_http_exception

    try:
        answer.raise_for_status()
    except requests.HTTPError as error:
        create_api_error_from_http_exception(error)
    return answer
