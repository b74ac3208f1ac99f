"""Where an engine is looked for, and what is said when none is there."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.engine import connect
from cromulent_wdl.engine.addresses import Address, addresses
from cromulent_wdl.errors import EngineUnavailable
from tests.fakes.http_server import Answer, serving


@pytest.fixture
def home() -> Iterator[Path]:
    """A home directory whose name is short enough for the path of a socket."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def test_the_usual_places(home: Path) -> None:
    environ = {"HOME": str(home), "XDG_RUNTIME_DIR": "/run/user/7"}
    assert [str(address.socket) for address in addresses("docker", "", environ)] == [
        "/var/run/docker.sock",
        "/run/user/7/docker.sock",
        f"{home}/.docker/run/docker.sock",
    ]
    assert [str(address.socket) for address in addresses("podman", "", environ)][:2] == [
        "/run/user/7/podman/podman.sock",
        "/run/podman/podman.sock",
    ]


def test_what_is_named_is_the_only_place(home: Path) -> None:
    environ = {"HOME": str(home), "DOCKER_HOST": "tcp://localhost:2375", "CONTAINER_HOST": "unix:///p.sock"}
    assert addresses("docker", "unix:///a.sock", environ) == (Address("unix:///a.sock", "setting docker_host"),)
    assert addresses("docker", "", environ) == (Address("tcp://localhost:2375", "environment DOCKER_HOST"),)
    assert addresses("podman", "", environ) == (Address("unix:///p.sock", "environment CONTAINER_HOST"),)


def test_the_context_that_was_chosen(home: Path) -> None:
    meta = home / ".docker/contexts/meta" / hashlib.sha256(b"colima").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": "colima", "Endpoints": {"docker": {"Host": "unix:///colima.sock"}}}))
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": "colima"}))
    assert addresses("docker", "", {"HOME": str(home)}) == (Address("unix:///colima.sock", "Docker context colima"),)
    assert len(addresses("docker", "", {"HOME": str(home), "DOCKER_CONTEXT": "default"})) == 3


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"currentContext": 3}', '{"currentContext": "gone"}'])
def test_a_configuration_that_names_no_context(home: Path, text: str) -> None:
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(text)
    assert len(addresses("docker", "", {"HOME": str(home)})) == 3


def test_a_socket_that_is_not_there() -> None:
    with pytest.raises(
        EngineUnavailable, match=r"there is no Docker at unix:///nowhere/d.sock \(setting docker_host\)"
    ):
        connect("docker", "unix:///nowhere/d.sock", {})


def test_a_socket_at_which_nobody_listens(home: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home / "d.sock"))
    with pytest.raises(EngineUnavailable, match="is there, but no Docker answers") as caught:
        connect("docker", "", {"DOCKER_HOST": f"unix://{home}/d.sock"})
    assert caught.value.hint and "start" in caught.value.hint


def test_a_socket_that_we_may_not_use(home: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home / "d.sock"))
        listener.listen()
        (home / "d.sock").chmod(0o600)
        home.chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.seteuid(54321)
        else:
            (home / "d.sock").chmod(0)
        try:
            with pytest.raises(EngineUnavailable, match="may not use") as caught:
                connect("docker", f"unix://{home}/d.sock", {})
        finally:
            if root:
                os.seteuid(0)
    assert caught.value.hint == "sudo usermod -aG docker $USER, then log in anew"


def test_a_server_that_is_no_engine() -> None:
    with serving(lambda path, headers: Answer(404)) as server:
        with pytest.raises(EngineUnavailable, match="is no container engine"):
            connect("docker", server.url.replace("http:", "tcp:"), {})


def test_a_machine_that_is_not_this_one() -> None:
    with pytest.raises(EngineUnavailable, match="ssh://somewhere") as caught:
        connect("docker", "", {"DOCKER_HOST": "ssh://somewhere"})
    assert caught.value.hint and "this machine's files" in caught.value.hint


def test_nothing_in_the_usual_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    environ = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), "DOCKER_CONTEXT": "gone"}
    if any(address.socket and address.socket.exists() for address in addresses("podman", "", environ)):
        pytest.skip("a Podman listens here")
    with pytest.raises(EngineUnavailable, match="Podman is not installed here"):
        connect("podman", "", environ)
    (home / "podman").touch(0o755)
    with pytest.raises(EngineUnavailable, match="Podman is installed, but not running"):
        connect("podman", "", environ)
