"""Images of the `container` data plane come from a registry, by tag and by digest, or do not come."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.engine import Engine, connect
from cromulent_wdl.errors import EngineError
from cromulent_wdl.simulator.planes.container import container_plane
from tests.engine.conftest import remove_image
from tests.engine.images.archive import add_file
from tests.fakes.registry import PORT, Registry, serving

from .stage import RealStage, shell

# Podman first tries again by itself, for a minute at worst, and wants to be told of a registry without certificate.
pytestmark = pytest.mark.parametrize("engine", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True)

HOST = f"127.0.0.1:{PORT}"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as registry:
        yield registry


@pytest.fixture
def remote(engine: Engine, registry: Registry, busybox_layer: bytes) -> Iterator[str]:
    """The name of an image that only the registry has, of content of its own."""
    layer = io.BytesIO(busybox_layer)
    with tarfile.open(fileobj=layer, mode="a") as tar:
        add_file(tar, "etc/unique", secrets.token_bytes(8))
    name = f"tests/plane-{secrets.token_hex(4)}:1"
    registry.push(name, layer.getvalue(), "amd64")
    yield f"{HOST}/{name}"
    remove_image(engine, f"{HOST}/{name}")


@pytest.fixture
def stage(tmp_path: Path, engine: Engine, remote: str) -> Iterator[RealStage]:
    try:
        engine.pull(f"{HOST}/nothing:1")
    except EngineError as error:
        if "server gave HTTP response to HTTPS client" in str(error):
            pytest.skip("this engine wants a certificate of registries on loopback")
    made = RealStage(tmp_path, lambda given: container_plane(connect(engine.facts.kind), given), f"test-{tmp_path}")
    made.image = remote
    yield made
    made.close()


def test_the_digest_is_the_registrys(stage: RealStage, registry: Registry) -> None:
    ended = stage.outcome(shell("true"))
    (container,) = ended["containers"]
    digest = next(name.partition(":")[2] for name in registry.manifests if "sha256" in name)
    assert (container["exitCode"], container["imageDigest"]) == (0, digest)
    assert ended["createdAt"] <= ended["pullStartedAt"] <= ended["pullStoppedAt"] <= ended["startedAt"]
    stage.image = f"{stage.image.rpartition(':')[0]}@{digest}"
    assert stage.outcome(shell("true"))["containers"][0]["imageDigest"] == digest


@pytest.mark.parametrize(("status", "words"), [(404, ": not found"), (429, "toomanyrequests")])
def test_a_registry_that_refuses(stage: RealStage, registry: Registry, status: int, words: str) -> None:
    registry.failures += [status] * 9
    ended = stage.outcome(shell("true"))
    assert ended["stopCode"] == "TaskFailedToStart"
    assert ended["stoppedReason"].startswith("CannotPullContainerError: ")
    assert words in ended["stoppedReason"]


def test_a_task_that_is_stopped_while_its_image_is_pulled(stage: RealStage, registry: Registry) -> None:
    registry.open.clear()
    arn = stage.begin(shell("true"))
    stage.until(arn, "PENDING")
    stage.ask("StopTask", cluster="runs", task=arn)
    ended = stage.until(arn, "STOPPED")
    registry.open.set()
    assert ended["stopCode"] == "UserInitiated"
    assert "startedAt" not in ended
