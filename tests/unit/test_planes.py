"""What data planes ask for, and what they do with lines and volumes, without running anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.engine.dialects import docker_body, podman_body
from cromulent_wdl.engine.facts import EngineFacts
from cromulent_wdl.simulator.ecs import AccessPoint, ContainerPlan, Launch, LogTarget, Place, Timers, VolumePlan
from cromulent_wdl.simulator.planes.bubble import Bubble, arguments
from cromulent_wdl.simulator.planes.container_request import container_request
from cromulent_wdl.simulator.planes.disks import Disk
from cromulent_wdl.simulator.planes.log_lines import ship
from cromulent_wdl.simulator.planes.surroundings import CannotStart, Places, Surroundings
from cromulent_wdl.simulator.planes.volumes import prepare, user_of
from tests.fakes.clocks import FakeClock
from tests.fakes.ecs_world import PLACE

POINT = AccessPoint("fsap-1", "fs-1", "/runs", (1000, 1001), (1000, 1001, 0o750))
FACTS = EngineFacts("docker", "28.0", "unix:///x", cores=2, memory=8)
MIB = 2**20
NOWHERE = Places({})


def plan(**changes: object) -> ContainerPlan:
    members: dict[str, object] = {
        "name": "main",
        "image": "busybox:1",
        "essential": True,
        "entry_point": None,
        "command": ("true",),
        "environment": {"A": "1"},
        "working_directory": None,
        "user": None,
        "cpu": 0,
        "memory": None,
        "stop_timeout": 30.0,
        "mounts": (),
        "tmpfs": (),
        "read_only_root": False,
        "init": False,
        "log": None,
    }
    return ContainerPlan(**{**members, **changes})  # type: ignore[arg-type]


def launch(container: ContainerPlan, *volumes: VolumePlan, cpu: int = 1024, memory: int = 2048) -> Launch:
    arn = "arn:aws:ecs:eu-west-1:123456789012:task/runs/1"
    return Launch(PLACE, arn, "1", "arn", "job", cpu, memory, 20, "X86_64", False, None, (container,), volumes)


def test_a_container_is_limited_to_its_task() -> None:
    container = plan(tmpfs=(("/scratch", 64),), read_only_root=True, init=True)
    request = container_request(launch(container, cpu=512), container, "sha256:1", NOWHERE, (FACTS, "head", {"B": "2"}))
    assert (request.cpu, request.memory_limit) == (0.5, 2048 * MIB)
    assert request.environment == {"A": "1", "B": "2"}
    assert request.labels["cromulent.head"] == "head"
    host = docker_body(request)["HostConfig"]
    assert isinstance(host, dict)
    assert host["NanoCpus"] == 500_000_000
    assert host["Tmpfs"] == {"/scratch": f"size={64 * MIB},mode=1777"}
    assert host["ReadonlyRootfs"] is host["Init"] is True
    body = podman_body(request)
    assert body["read_only_filesystem"] is body["init"] is True
    assert {"type": "tmpfs", "destination": "/scratch", "options": [f"size={64 * MIB}", "mode=1777"]} in body["mounts"]  # type: ignore[operator]


def test_a_task_does_not_get_more_cores_than_there_are() -> None:
    container = plan()
    request = container_request(launch(container, cpu=16384), container, "sha256:1", NOWHERE, (FACTS, "head", {}))
    assert request.cpu == 2


@pytest.mark.parametrize(
    ("entry_point", "command", "shown"),
    [
        (None, None, {}),
        (None, ("a",), {"Cmd": ["a"]}),
        (("sh",), None, {"Entrypoint": ["sh"], "Cmd": []}),
        (("sh",), ("a",), {"Entrypoint": ["sh"], "Cmd": ["a"]}),
    ],
)
def test_what_the_image_says_holds_where_the_definition_is_silent(
    entry_point: tuple[str, ...] | None, command: tuple[str, ...] | None, shown: dict[str, list[str]]
) -> None:
    container = plan(entry_point=entry_point, command=command)
    body = docker_body(container_request(launch(container), container, "sha256:1", NOWHERE, (FACTS, "head", {})))
    assert {name: body[name] for name in ("Entrypoint", "Cmd") if name in body} == shown


def test_the_user_is_the_definitions_or_else_the_access_points() -> None:
    volume = VolumePlan("data", "fs-1", "/runs", POINT)
    mounts = (("data", "/mnt", False),)
    assert user_of(launch(plan(mounts=mounts), volume), "main") == (1000, 1001)
    assert user_of(launch(plan(), volume), "main") is None
    named = plan(mounts=mounts, user="nobody")
    places = Places({"data": Path("/x")})
    assert container_request(launch(named, volume), named, "i", places, (FACTS, "h", {})).user == "nobody"


@pytest.mark.parametrize(
    ("changes", "bound"),
    [
        ({}, True),
        ({"read_only_root": True}, False),
        ({"tmpfs": (("/tmp", 64),)}, False),
        ({"mounts": (("data", "/tmp", False),)}, False),
    ],
)
def test_what_a_container_writes_to_tmp_is_on_its_tasks_disk(changes: dict[str, Any], bound: bool) -> None:
    container, places = plan(**changes), Places({"data": Path("/x")}, Disk(Path("/d")))
    request = container_request(launch(container), container, "i", places, (FACTS, "h", {}))
    assert (("/d/tmp/main", "/tmp") in [(bind.source, bind.target) for bind in request.binds]) is bound


def test_a_symbolic_link_does_not_lead_out_of_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "efs/fs-1").mkdir(parents=True)
    (tmp_path / "efs/fs-1/out").symlink_to("/etc")
    with pytest.raises(CannotStart, match="access denied"):
        prepare(launch(plan(), VolumePlan("data", "fs-1", "/out")), tmp_path / "efs", tmp_path / "own")
    with pytest.raises(CannotStart, match="access denied"):
        prepare(launch(plan(), VolumePlan("data", "fs-1", "/../..")), tmp_path / "efs", tmp_path / "own")


def test_the_root_of_an_access_point_is_made_with_its_permissions(tmp_path: Path) -> None:
    found = prepare(launch(plan(), VolumePlan("data", "fs-1", "/runs", POINT)), tmp_path / "efs", tmp_path / "own")
    assert found == {"data": tmp_path / "efs/fs-1/runs"}
    assert found["data"].stat().st_mode & 0o777 == 0o750


class Stream:
    """A log group that keeps what it is sent."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock()
        self.timers = Timers(self.clock)
        self.calls: list[tuple[Place, str, list[str]]] = []
        put: Callable[[Place, str, str, Sequence[tuple[float, str]]], None] = self.put
        self.surroundings = Surroundings(
            directory, directory / "efs", "h", self.clock, self.timers, put, lambda launch, plan: {}
        )

    def put(self, place: Place, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        self.calls.append((place, f"{group}:{stream}", [text for _, text in lines]))

    @property
    def lines(self) -> list[str]:
        return [line for _, _, lines in self.calls for line in lines]


TARGET = LogTarget("/g", "s", "us-east-2")


@given(st.text(alphabet="ab\n\r é", max_size=80), st.lists(st.integers(1, 20), max_size=20))
def test_lines_are_whole_however_they_come(text: str, cuts: list[int]) -> None:
    content, chunks = text.encode(), []
    for cut in cuts:
        chunks.append(content[:cut])
        content = content[cut:]
    stream = Stream(Path())
    ship([(1, chunk) for chunk in (*chunks, content)], PLACE, TARGET, stream.surroundings)
    assert stream.lines == [line.removesuffix("\r") for line in text.split("\n") if line and line != "\r"]


def test_lines_of_two_streams_are_not_mixed() -> None:
    stream = Stream(Path())
    ship([(2, b"sh: "), (1, b"said\nen"), (2, b"no such file\n"), (1, b"d")], PLACE, TARGET, stream.surroundings)
    assert stream.lines == ["said", "sh: no such file", "end"]


def test_lines_go_to_the_region_of_the_options_and_long_ones_in_pieces() -> None:
    stream = Stream(Path())
    ship([(1, b"x" * 300_000), (1, b"y\n")], PLACE, TARGET, stream.surroundings)
    assert [len(line) for line in stream.lines] == [262_144, 37_857]
    assert stream.calls[0][:2] == (Place(PLACE.account, "us-east-2"), "/g:s")


def test_late_lines_come_late_and_lines_without_a_target_not_at_all() -> None:
    stream = Stream(Path())
    ship([(1, b"never\n")], PLACE, None, stream.surroundings)
    ship([(1, b"late\n")], PLACE, LogTarget("/g", "s", "us-east-2", delay=5), stream.surroundings)
    stream.timers.run_due()
    assert stream.lines == []
    stream.clock.time += 5
    stream.timers.run_due()
    assert stream.lines == ["late"]


def test_a_bubble_mounts_where_this_machine_has_nothing() -> None:
    tops = {"usr": None, "bin": "usr/bin", "mnt": None, "proc": None, "tmp": None}
    mounts = (("/state/efs", "/mnt/efs", False), ("/state/in", "/usr/share", True))
    bubble = Bubble(mounts, (), tops, frozenset(("/usr/share",)), "/work", as_root=False, init=False)
    line = " ".join(arguments(bubble, 7))
    assert "--ro-bind /usr /usr" in line and "--symlink usr/bin /bin" in line
    assert "--ro-bind /mnt /mnt" not in line  # a mount point could not be made in it
    assert "--bind /state/efs /mnt/efs" in line and "--ro-bind /state/in /usr/share" in line
    assert "--as-pid-1" in line and line.endswith("--json-status-fd 7 --chdir /work --")


def test_a_bubble_shows_no_cgroup_of_which_it_is_not() -> None:
    bubble = Bubble((), (), {"sys": None}, frozenset(), "/", as_root=False, init=False, cgroups=True)
    line = " ".join(arguments(bubble, 7))
    assert "--ro-bind /sys /sys --tmpfs /sys/fs/cgroup --remount-ro /sys/fs/cgroup" in line
    own = replace(bubble, mounts=(("/state/sys", "/sys", False),))
    assert "/sys/fs/cgroup" not in " ".join(arguments(own, 7))
