"""Bubblewrap's command line; what it does is for tests/engine."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
import pytest

from cromulent_wdl.backends.process.sandbox import Places, Sandbox, View, arguments, places

PLACES = Places(("/tmp", "/var/tmp"), ("/home/u/.ssh", "/run/user/1000"), ("/home/u/.netrc", "/run/docker.sock"))
SANDBOX = Sandbox("/usr/bin/bwrap", PLACES, as_root=False)
VIEW = View("/data/run/call", "/data/run/call/work", "/tmp/scratch", "/tmp/empty")


def options(sandbox: Sandbox, view: View) -> list[tuple[str, ...]]:
    """Return the command line as options with their values."""
    grouped: list[list[str]] = []
    for word in arguments(sandbox, view, 7)[1:]:
        if word == "--":
            break
        if word.startswith("--"):
            grouped.append([])
        grouped[-1].append(word)
    return [tuple(option) for option in grouped]


def test_the_machine_is_read_only_and_only_the_work_can_be_written() -> None:
    mounts = [
        option for option in options(SANDBOX, VIEW) if option[0].startswith(("--bind", "--ro-bind", "--dev-bind"))
    ]
    assert mounts[0] == ("--ro-bind", "/", "/")
    assert [mount for mount in mounts if mount[0] != "--ro-bind"] == [
        ("--bind", "/tmp/scratch", "/tmp"),
        ("--bind", "/tmp/scratch", "/var/tmp"),
        ("--bind", VIEW.work, VIEW.work),
    ]


def test_secrets_are_covered() -> None:
    made = options(SANDBOX, VIEW)
    for place in PLACES.directories:
        assert ("--tmpfs", place) in made
    for place in PLACES.files:
        assert ("--ro-bind", "/tmp/empty", place) in made


def test_nothing_is_covered_once_the_work_is_mounted() -> None:
    made = options(SANDBOX, msgspec.structs.replace(VIEW, work="/tmp/run/call/work", directory="/tmp/run/call"))
    assert made.index(("--tmpfs", "/tmp/run/call")) > made.index(("--bind", "/tmp/scratch", "/tmp"))
    assert made.index(("--bind", "/tmp/run/call/work", "/tmp/run/call/work")) > max(
        made.index(option) for option in made if option[0] == "--tmpfs"
    )


def test_a_retrys_directory_is_found_by_the_name_that_the_command_knows() -> None:
    made = options(SANDBOX, msgspec.structs.replace(VIEW, work="/data/run/call/work2"))
    assert made.index(("--symlink", "work2", "/data/run/call/work")) > made.index(("--tmpfs", "/data/run/call"))


def test_inputs_are_mounted_read_only_after_the_work() -> None:
    view = msgspec.structs.replace(VIEW, inputs=(("/home/u/.ssh/id", f"{VIEW.work}/_miniwdl_inputs/0/id"),))
    made = options(SANDBOX, view)
    mount = ("--ro-bind", "/home/u/.ssh/id", f"{VIEW.work}/_miniwdl_inputs/0/id")
    assert made.index(mount) > made.index(("--bind", VIEW.work, VIEW.work))


def test_a_directory_known_by_a_link_that_is_covered_is_found_all_the_same() -> None:
    view = msgspec.structs.replace(VIEW, directory="/tmp/link/call")
    made = options(SANDBOX, view)
    assert ("--symlink", "/data/run/call", "/tmp/link/call") in made
    assert ("--chdir", "/tmp/link/call/work") in made


def test_devices_are_the_machines_only_for_a_gpu() -> None:
    assert ("--dev", "/dev") in options(SANDBOX, VIEW)
    with_gpu = options(SANDBOX, msgspec.structs.replace(VIEW, gpu=True))
    assert ("--dev-bind", "/dev", "/dev") in with_gpu and ("--dev", "/dev") not in with_gpu


def test_root_keeps_few_capabilities_and_users_have_none_to_drop() -> None:
    as_root = options(msgspec.structs.replace(SANDBOX, as_root=True), VIEW)
    assert as_root.index(("--cap-drop", "ALL")) < as_root.index(("--cap-add", "CAP_CHOWN"))
    assert ("--cap-add", "CAP_SYS_ADMIN") not in as_root and ("--cap-add", "CAP_MKNOD") not in as_root
    assert not [option for option in options(SANDBOX, VIEW) if option[0].startswith("--cap")]


def test_places_are_those_that_exist_by_their_real_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, runtime = tmp_path / "home", tmp_path / "runtime"
    (home / "elsewhere").mkdir(parents=True)
    (home / ".aws").symlink_to("elsewhere")
    (home / ".netrc").touch()
    runtime.mkdir()
    with socket.socket(socket.AF_UNIX) as engine:
        monkeypatch.chdir(tmp_path)  # the path of a socket must be short
        engine.bind("docker.sock")
        (home / ".config").mkdir()
        environ = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
        found = places(environ, 12345, temporary=())
    assert set(found.directories) == {str(home / "elsewhere"), str(runtime)}
    assert {str(home / ".netrc"), str(tmp_path / "docker.sock")} <= set(found.files)


def test_what_lies_in_a_covered_place_needs_no_cover_of_its_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    found = places({"HOME": str(home)}, 12345, temporary=(str(tmp_path),))
    assert str(home / ".ssh") not in found.directories


@pytest.mark.parametrize(
    ("path", "covered"), [("/tmp", True), ("/tmp/x", True), ("/tmpfile", False), ("/home/u", False)]
)
def test_covered_paths(path: str, covered: bool) -> None:
    assert PLACES.cover(path) is covered
