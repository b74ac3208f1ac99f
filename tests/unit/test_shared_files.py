"""How a shared file system is found in the mount table, and what is where on it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import botocore.session
import pytest

from cromulent_wdl.aws.access_points import objection
from cromulent_wdl.storage.shared import SharedFiles, all_shared, find_shared

PLAIN = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
EFS = "fs-0123456789abcdef0.efs.eu-west-1.amazonaws.com"
OPTIONS = "rw,vers=4.1,rsize=1048576,hard,noresvport,proto=tcp,port=0,timeo=600,retrans=2,addr=10.0.0.9"


def table(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "mountinfo"
    file.write_text(PLAIN + "".join(line + "\n" for line in lines))
    return file


def test_efs_by_its_name(tmp_path: Path) -> None:
    mounts = table(tmp_path, f"45 22 0:43 / /mnt/efs rw,relatime shared:25 - nfs4 {EFS}:/ {OPTIONS}")
    found = find_shared("/mnt/efs/runs/x", mounts=mounts)
    assert found == SharedFiles(Path("/mnt/efs"), "/", "fs-0123456789abcdef0")
    assert find_shared("/mnt/efsoon", mounts=mounts) is None
    assert find_shared("/home", mounts=mounts) is None


@pytest.mark.parametrize(
    "host", [f"eu-west-1a.{EFS}", "fs-01234567.efs.cn-north-1.amazonaws.com.cn"], ids=["zone", "China"]
)
def test_other_names_of_efs(tmp_path: Path, host: str) -> None:
    mounts = table(tmp_path, f"45 22 0:43 / /mnt/efs rw shared:25 - nfs4 {host}:/lab/wdl {OPTIONS}")
    found = find_shared("/mnt/efs", mounts=mounts)
    assert found is not None and found.root == "/lab/wdl" and found.file_system in host
    assert found.file_system.startswith("fs-0123")


def test_a_part_of_it_bound_elsewhere(tmp_path: Path) -> None:
    mounts = table(
        tmp_path,
        f"45 22 0:43 / /mnt/efs rw shared:25 - nfs4 {EFS}:/lab {OPTIONS}",
        f"46 22 0:43 /mine /home/me/files rw shared:25 - nfs4 {EFS}:/lab {OPTIONS}",
    )
    found = find_shared("/home/me/files/run", mounts=mounts)
    assert found == SharedFiles(Path("/home/me/files"), "/lab/mine", "fs-0123456789abcdef0")


def test_the_innermost_and_last_mount_counts(tmp_path: Path) -> None:
    lines = [
        f"45 22 0:43 / /mnt/efs rw shared:25 - nfs4 {EFS}:/ {OPTIONS}",
        "46 45 8:2 / /mnt/efs/local rw shared:26 - xfs /dev/sdb rw",
    ]
    assert find_shared("/mnt/efs/local/run", mounts=table(tmp_path, *lines)) is None
    assert find_shared("/mnt/efs/localrun", mounts=table(tmp_path, *lines)) is not None
    hidden = "47 22 8:3 / /mnt/efs rw shared:27 - ext4 /dev/sdc rw"
    assert find_shared("/mnt/efs/run", mounts=table(tmp_path, *lines, hidden)) is None


def test_a_mount_point_with_a_space(tmp_path: Path) -> None:
    mounts = table(tmp_path, rf"45 22 0:43 / /mnt/my\040efs rw shared:25 - nfs4 {EFS}:/ {OPTIONS}")
    found = find_shared("/mnt/my efs/run", mounts=mounts)
    assert found is not None and found.mount == Path("/mnt/my efs")


@pytest.mark.parametrize("state", [{"accessPoint": "fsap-1", "pid": 7}, {}, None], ids=["point", "none", "unreadable"])
def test_efs_through_a_tunnel(tmp_path: Path, state: dict[str, object] | None) -> None:
    tunnels = tmp_path / "efs"
    tunnels.mkdir()
    (tunnels / "stunnel-config.fs-0123456789abcdef0.mnt.efs.20049").touch()
    (tunnels / "fs-99999999.mnt.other.20050").write_text("{}")
    text = "no JSON" if state is None else json.dumps(state)
    (tunnels / "fs-0123456789abcdef0.mnt.efs.20049").write_text(text)
    options = OPTIONS.replace("port=0", "port=20049")
    mounts = table(tmp_path, f"45 22 0:43 / /mnt/efs rw shared:25 - nfs4 127.0.0.1:/ {options}")
    found = find_shared("/mnt/efs/run", mounts=mounts, tunnels=tunnels)
    point = "fsap-1" if state else ""
    assert found == SharedFiles(Path("/mnt/efs"), "/", "fs-0123456789abcdef0", point)


def test_a_tunnel_that_nobody_tells_of(tmp_path: Path) -> None:
    mounts = table(tmp_path, f"45 22 0:43 / /mnt/efs rw shared:25 - nfs4 127.0.0.1:/ {OPTIONS}")
    found = find_shared("/mnt/efs/run", mounts=mounts, tunnels=tmp_path / "none")
    assert found == SharedFiles(Path("/mnt/efs"))
    told = find_shared("/mnt/efs/run", mounts=mounts, tunnels=tmp_path / "none", given=SharedFiles(Path(), "/", "fs-1"))
    assert told == SharedFiles(Path("/mnt/efs"), "/", "fs-1")


def test_what_the_mount_table_tells_is_not_overruled(tmp_path: Path) -> None:
    mounts = table(tmp_path, f"45 22 0:43 / /mnt/efs rw,relatime shared:25 - nfs4 {EFS}:/ {OPTIONS}")
    found = find_shared("/mnt/efs", mounts=mounts, given=SharedFiles(Path(), "/cromulent", "fs-another"))
    assert found == SharedFiles(Path("/mnt/efs"), "/", "fs-0123456789abcdef0")


def test_what_settings_say_is_taken_as_it_stands(tmp_path: Path) -> None:
    given = SharedFiles(tmp_path, "/lab", "fs-1", "fsap-1")
    assert find_shared(tmp_path / "run", mounts=table(tmp_path), given=given) == given
    assert find_shared("/elsewhere", mounts=table(tmp_path), given=given) is None


def test_no_mount_table(tmp_path: Path) -> None:
    assert find_shared("/mnt/efs", mounts=tmp_path / "none") is None


def test_what_is_where(tmp_path: Path) -> None:
    (tmp_path / "efs/runs").mkdir(parents=True)
    (tmp_path / "link").symlink_to("efs")
    shared = SharedFiles(tmp_path / "link", "/lab")
    assert shared.contains(tmp_path / "link/runs") and shared.contains(tmp_path / "efs/not/there")
    assert not shared.contains(tmp_path) and not shared.contains(tmp_path / "efsoon")
    assert shared.path_in_file_system(tmp_path / "efs/runs/x") == "/lab/runs/x"
    assert shared.path_in_file_system(tmp_path / "efs") == "/lab"
    assert shared.path_here("/lab/runs/x") == tmp_path / "link/runs/x"
    assert shared.path_here("/lab/../other") is None and shared.path_here("/labour") is None
    assert SharedFiles(tmp_path).path_in_file_system(tmp_path / "efs") == "/efs"
    assert SharedFiles(tmp_path).path_here("/efs") == tmp_path / "efs"


def test_another_mount_within_is_not_on_it() -> None:
    shared = SharedFiles(Path("/"))
    assert shared.contains("/usr") and not shared.contains("/proc/self/mountinfo")


def test_all_that_is_mounted_and_not_hidden(tmp_path: Path) -> None:
    other = EFS.replace("fs-01", "fs-02")
    mounts = table(
        tmp_path,
        f"45 22 0:43 / /mnt/efs rw shared:25 - nfs4 {other}:/ {OPTIONS}",
        f"46 22 0:44 / /mnt/efs rw shared:26 - nfs4 {EFS}:/lab {OPTIONS}",
        f"47 22 0:45 / /data rw shared:27 - nfs4 {other}:/ {OPTIONS}",
        f"48 22 0:46 / /nas rw shared:28 - nfs4 nas.example.org:/ {OPTIONS}",
    )
    found = all_shared(mounts=mounts, tunnels=tmp_path)

    assert [(str(each.mount), each.root) for each in found] == [("/mnt/efs", "/lab"), ("/data", "/")]


@pytest.mark.parametrize(
    "root",
    [
        *("/", "/runs", "/home/a b/ö-1_x=y/run", "/a/b/c/d", "/a/b/c/d/e", "/a/.hidden/run", "/a/b.c/.run", "/a/x..y"),
        *("/" + "n" * 99, "/" + "n" * 100, *(f"/a/b{odd}" for odd in "$#<>;`|&?{}^*\n'\"\\~!%+,:@")),
    ],
)
def test_what_efs_mounts_is_known_before_it_is_asked(root: str) -> None:
    bounds = botocore.session.get_session().get_service_model("efs").shape_for("Path").metadata
    mountable = len(root) <= bounds["max"] and re.fullmatch(bounds["pattern"], root) is not None
    assert (objection(root) is None) is mountable
