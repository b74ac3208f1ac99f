from __future__ import annotations

from pathlib import Path

import pytest

from cromulent_wdl.backends.process.capacity import cores_and_memory, tightest
from cromulent_wdl.backends.process.limits import Hierarchy, candidates, own_groups

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNTS = (
    "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)
HYBRID_MOUNT = "33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
CONTAINER_MOUNT = "40 23 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
USER = "/user.slice/user-1000.slice/user@1000.service/app.slice/terminal.scope"


@pytest.mark.parametrize(
    ("cgroups", "mounts", "expected"),
    [
        (f"0::{USER}\n", V2_MOUNT, [(f"/sys/fs/cgroup{USER}", 2)]),
        ("0::/\n", V2_MOUNT, [("/sys/fs/cgroup", 2)]),
        ("9:memory:/a/b\n1:cpu,cpuacct:/\n", V1_MOUNTS, [("/sys/fs/cgroup/memory/a/b", 1)]),
        (
            "4:memory:/a\n0::/\n",
            V1_MOUNTS + HYBRID_MOUNT,
            [("/sys/fs/cgroup/memory/a", 1), ("/sys/fs/cgroup/unified", 2)],
        ),
        ("4:memory:/docker/abc\n", CONTAINER_MOUNT, [("/sys/fs/cgroup/memory", 1)]),
        ("4:memory:/docker/abc/inner\n", CONTAINER_MOUNT, [("/sys/fs/cgroup/memory/inner", 1)]),
        ("4:memory:/docker/abcdef\n", CONTAINER_MOUNT, []),
        ("1:name=systemd:/\n", V1_MOUNTS, []),
    ],
)
def test_our_own_groups_are_read_from_proc(cgroups: str, mounts: str, expected: list[tuple[str, int]]) -> None:
    assert own_groups(cgroups, mounts) == [Hierarchy(Path(path), version) for path, version in expected]


def test_groups_are_made_below_us_in_version_1_and_also_beside_us_in_version_2() -> None:
    one, two = Hierarchy(Path("/memory/a"), 1), Hierarchy(Path("/unified/b/c"), 2)
    assert candidates([one, two]) == [one, two, Hierarchy(Path("/unified/b"), 2)]


@pytest.mark.parametrize(
    ("limits", "expected"), [(("max", "max"), 8), (("max", "4"), 4), (("2", "4"), 2), (("16", ""), 8)]
)
def test_the_tightest_limit_above_us_counts(tmp_path: Path, limits: tuple[str, str], expected: int) -> None:
    own = tmp_path / "above" / "own"
    own.mkdir(parents=True)
    for directory, limit in zip((own, own.parent), limits, strict=True):
        if limit:
            (directory / "memory.max").write_text(f"{limit}\n")
    assert tightest([Hierarchy(own, 2)], 8) == expected


def test_this_machine_has_cores_and_memory() -> None:
    cores, memory = cores_and_memory()
    assert cores >= 1 and memory > 64 << 20
