"""Images of the `container` data plane come from a registry, by tag and by digest, or do not come."""

from __future__ import annotations

import io
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.engine import Engine, connect
from cromulent_wdl.errors import EngineError
from cromulent_wdl.simulator.planes.container import container_plane
from tests.engine.conftest import remove_image
from tests.engine.images.archive import add_file
from tests.engine.images.registry import push, serving_debians
from tests.fakes.registry import PORT, Registry, serving

from .stage import RealStage, shell

# Podman first tries again by itself, for a minute at worst, and wants to be told of a registry without certificate.
pytestmark = pytest.mark.parametrize("engine", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True)

HOST = f"127.0.0.1:{PORT}"


@pytest.fixture
def debians(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """A real registry."""
    if shutil.which("docker-registry") is None and not request.config.getoption("--require-engines"):
        pytest.skip("Debian's docker-registry is not installed")
    with serving_debians(tmp_path):
        yield


@pytest.fixture
def registry() -> Iterator[Registry]:
    """One that fails when it is told to, and waits."""
    with serving() as registry:
        yield registry


@pytest.fixture
def layer(busybox_layer: bytes) -> bytes:
    """The layer of an image that no engine has."""
    unique = io.BytesIO(busybox_layer)
    with tarfile.open(fileobj=unique, mode="a") as tar:
        add_file(tar, "etc/unique", secrets.token_bytes(8))
    return unique.getvalue()


@pytest.fixture
def name(engine: Engine) -> Iterator[str]:
    """The repository of an image, which the engine does not keep."""
    name = f"tests/plane-{secrets.token_hex(4)}"
    yield name
    remove_image(engine, f"{HOST}/{name}:1")


@pytest.fixture
def stage(tmp_path: Path, engine: Engine, name: str) -> Iterator[RealStage]:
    made = RealStage(tmp_path, lambda given: container_plane(connect(engine.facts.kind), given), f"test-{tmp_path}")
    made.image = f"{HOST}/{name}:1"
    yield made
    made.close()


@pytest.fixture
def trusting(engine: Engine) -> None:
    """See that the engine takes a registry on loopback without a certificate."""
    try:
        engine.pull(f"{HOST}/nothing:1")
    except EngineError as error:
        if "server gave HTTP response to HTTPS client" in str(error):
            pytest.skip("this engine wants a certificate of registries on loopback")


@pytest.mark.usefixtures("debians", "trusting")
class TestARealRegistry:
    """Debian's docker-registry."""

    def test_the_digest_is_the_registrys(self, stage: RealStage, name: str, layer: bytes) -> None:
        digest = push(name, "1", layer, "amd64")
        ended = stage.outcome(shell("true"))
        (container,) = ended["containers"]
        assert (container["exitCode"], container["imageDigest"]) == (0, digest)
        assert ended["createdAt"] <= ended["pullStartedAt"] <= ended["pullStoppedAt"] <= ended["startedAt"]

        stage.image = f"{HOST}/{name}@{digest}"
        assert stage.outcome(shell("true"))["containers"][0]["imageDigest"] == digest

    def test_a_tag_that_has_moved_is_another_digest(self, stage: RealStage, name: str, layer: bytes) -> None:
        first = push(name, "1", layer, "amd64")
        second = push(name, "1", layer + b"\0" * 512, "amd64")
        assert first != second
        assert stage.outcome(shell("true"))["containers"][0]["imageDigest"] == second

    @pytest.mark.parametrize("reference", [":2", "@sha256:" + "0" * 64])
    def test_what_is_not_there_is_not_found(self, stage: RealStage, name: str, layer: bytes, reference: str) -> None:
        push(name, "1", layer, "amd64")
        stage.image = f"{HOST}/{name}{reference}"
        ended = stage.outcome(shell("true"))
        assert ended["stopCode"] == "TaskFailedToStart"
        assert ended["stoppedReason"].startswith("CannotPullContainerError: ")
        assert ": not found" in ended["stoppedReason"]

    def test_an_image_for_another_processor(self, stage: RealStage, name: str, layer: bytes) -> None:
        push(name, "1", layer, "arm64")
        ended = stage.outcome(shell("true"))
        assert "does not contain descriptor matching platform 'linux/amd64'" in ended["stoppedReason"]


@pytest.mark.usefixtures("trusting")
def test_a_registry_that_refuses(stage: RealStage, registry: Registry) -> None:
    registry.failures += [429] * 9
    ended = stage.outcome(shell("true"))
    assert ended["stopCode"] == "TaskFailedToStart"
    assert ended["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "toomanyrequests" in ended["stoppedReason"]


@pytest.mark.usefixtures("trusting")
def test_a_task_that_is_stopped_while_its_image_is_pulled(
    stage: RealStage, registry: Registry, name: str, layer: bytes
) -> None:
    registry.push(f"{name}:1", layer, "amd64")
    registry.open.clear()
    arn = stage.begin(shell("true"))
    stage.until(arn, "PENDING")
    stage.ask("StopTask", cluster="runs", task=arn)
    ended = stage.until(arn, "STOPPED")
    registry.open.set()
    assert ended["stopCode"] == "UserInitiated"
    assert "startedAt" not in ended
