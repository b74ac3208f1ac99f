"""Goals 5 and 6: a hundred tasks, and one, on Docker."""

from __future__ import annotations

import docker
from docker.errors import DockerException
from tests.engine.images import busybox

from .commands import STANDINS, WORKFLOWS, cromulent_run, home, miniwdl_run
from .environments import CACHE, Absent, cromulent, miniwdl
from .figures import Row
from .measure import Command, Samples, in_turn
from .scale import Scale

__all__ = ["contained", "many_containers", "one_container"]

_LOOPBACK = "127.0.0.1"


def many_containers(scale: Scale) -> list[Row]:
    """Measure a hundred tasks beside stock miniwdl's `docker_swarm` and beside the bare Engine API."""
    count = scale.size(100, 6)
    _make_ready()
    floor = [cromulent().program("python"), str(STANDINS / "engine_floor.py"), busybox.TAG, str(count), "{place}"]
    bare = Command("bare Engine API, two at a time", floor, home(), shows=" 0 failed")
    ours, swarm = _pair(count)
    found = in_turn([ours, swarm, bare], scale.times)
    return [
        _row(5, f"{count} tasks on Docker", ours, peer, limit, found) for peer, limit in ((swarm, 0.25), (bare, 1.3))
    ]


def one_container(scale: Scale) -> list[Row]:
    """Measure one task beside stock miniwdl's `docker_swarm`."""
    _make_ready()
    ours, swarm = _pair(1)
    found = in_turn([ours, swarm], scale.times)
    return [_row(6, "1 task on Docker", ours, swarm, 0.55, found)]


def _row(goal: int, what: str, ours: Command, peer: Command, limit: float, found: dict[str, Samples]) -> Row:
    return Row(goal, what, "s", found[ours.name].wall, peer.name, found[peer.name].wall, limit)


def contained(count: int) -> list[str]:
    """Return the arguments of `cromulent run` for as many containers, once Docker is ready for them. Raises Absent."""
    _make_ready()
    return [*_arguments(count), "--backend", "docker"]


def _arguments(count: int) -> list[str]:
    file = CACHE / "input.txt"
    file.write_text("content\n")
    return [str(WORKFLOWS / "contained.wdl"), f"count={count}", f"file={file}", f"image={busybox.TAG}"]


def _pair(count: int) -> tuple[Command, Command]:
    arguments = _arguments(count)
    return (
        cromulent_run("ours", cromulent(), [*arguments, "--backend", "docker"]),
        miniwdl_run("docker_swarm", miniwdl(), arguments, {"MINIWDL__SCHEDULER__CONTAINER_BACKEND": "docker_swarm"}),
    )


def _make_ready() -> None:
    """See that Docker answers, has the image, and is in swarm mode, which stock miniwdl needs. Raises Absent."""
    try:
        client = docker.from_env()
        if refusal := busybox.refusal():
            raise Absent(refusal)
        client.images.load(busybox.busybox_image())
        if client.info()["Swarm"]["LocalNodeState"] != "active":
            client.swarm.init(listen_addr=_LOOPBACK, advertise_addr=_LOOPBACK)
    except DockerException as error:
        raise Absent(f"no Docker engine in swarm mode: {error}") from error
