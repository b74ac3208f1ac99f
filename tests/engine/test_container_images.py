"""Images: which of the candidates, pulled once, built once; and the many ways in which that can fail."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Callable, Iterator

import pytest

from cromulent_wdl.backends.container import ContainerBackend
from cromulent_wdl.engine import Engine, build_tag
from cromulent_wdl.errors import EngineError
from cromulent_wdl.model import Ending, TaskImage
from tests.engine.bench import Bench
from tests.engine.conftest import remove_image
from tests.engine.images.archive import add_file
from tests.fakes.clocks import FakeClock
from tests.fakes.registry import PORT, Registry, serving

HOST = f"127.0.0.1:{PORT}"
PLAIN_HTTP = ("server gave HTTP response to HTTPS client", "does not look like a TLS handshake")

# Podman first tries again by itself, for a minute at worst.
on_docker_alone = pytest.mark.parametrize("engine", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True)


@pytest.fixture
def registry(engine: Engine) -> Iterator[Registry]:
    with serving() as registry:
        try:
            engine.pull(f"{HOST}/nothing:1")
        except EngineError as error:
            if any(words in str(error) for words in PLAIN_HTTP):
                pytest.skip(f"this engine wants a certificate of {HOST} (see registries.conf in tests/machine)")
        yield registry


@pytest.fixture
def remote(engine: Engine, registry: Registry, busybox_layer: bytes) -> Iterator[str]:
    """An image that only the registry has, of content of its own."""
    layer = io.BytesIO(busybox_layer)
    with tarfile.open(fileobj=layer, mode="a") as tar:
        add_file(tar, "etc/unique", secrets.token_bytes(8))
    name = f"tests/remote-{secrets.token_hex(4)}:1"
    registry.push(name, layer.getvalue(), "amd64")
    yield f"{HOST}/{name}"
    remove_image(engine, f"{HOST}/{name}")


def test_an_image_is_pulled_once_for_many(engine: Engine, bench: Bench, registry: Registry, remote: str) -> None:
    registry.open.clear()
    running = [bench.begin(bench.task("cat /etc/unique | wc -c", images=(remote,))) for _ in range(8)]
    registry.open.set()
    assert {one.end().ending for one in running} == {Ending.OK}
    assert len(registry.pulled) == 2, "one configuration, one layer"
    digests = {event.digest for one in running for event in one.events if isinstance(event, TaskImage)}
    expected = next(iter(registry.manifests)).rpartition(":")[0]
    assert len(digests) == 1 and f"{expected}:{digests.pop()}" in registry.manifests


def test_an_image_asked_for_by_digest(bench: Bench, registry: Registry, remote: str) -> None:
    digest = next(name.partition(":")[2] for name in registry.manifests if "sha256" in name)
    pinned = f"{remote.removesuffix(':1')}@{digest}"
    running = bench.begin(bench.task("true", images=(pinned,)))
    assert running.end().ending is Ending.OK
    image = running.reach(TaskImage)
    assert isinstance(image, TaskImage) and image.digest == digest


def test_the_candidate_that_is_here_is_preferred(bench: Bench, registry: Registry, remote: str) -> None:
    running = bench.begin(bench.task("true", images=(remote, bench.image)))
    assert running.end().ending is Ending.OK
    assert registry.pulled == []


def test_the_first_candidate_that_can_be_pulled(bench: Bench, registry: Registry, remote: str) -> None:
    running = bench.begin(bench.task("true", images=(f"{HOST}/tests/nothing:1", remote)))
    assert running.end().ending is Ending.OK
    image = running.reach(TaskImage)
    assert isinstance(image, TaskImage) and image.image == remote


def test_an_image_that_does_not_exist(bench: Bench, registry: Registry) -> None:
    missing = f"{HOST}/tests/nothing:1"
    outcome = bench.run(bench.task("true", images=(missing,)))
    assert outcome.ending is Ending.PULL_PERMANENT
    assert f"image {missing} does not exist" in outcome.message


def test_an_image_that_we_may_not_read(bench: Bench, registry: Registry, remote: str) -> None:
    registry.failures = [401] * 9
    outcome = bench.run(bench.task("true", images=(remote,)))
    assert outcome.ending is Ending.PULL_PERMANENT
    assert "logging in" in outcome.message


def test_a_registry_in_trouble(bench: Bench, registry: Registry, remote: str) -> None:
    registry.failures = [503] * 99
    outcome = bench.run(bench.task("true", images=(remote,)))
    assert outcome.ending is Ending.PULL_TRANSIENT
    assert "does not answer" in outcome.message


@on_docker_alone
def test_a_registry_that_limits_us(bench: Bench, registry: Registry, remote: str) -> None:
    registry.failures = [429] * 99
    outcome = bench.run(bench.task("true", images=(remote,)))
    assert outcome.ending is Ending.PULL_TRANSIENT
    assert "no more for now" in outcome.message


def test_a_registry_that_recovers(
    bench: Bench, registry: Registry, remote: str, clock: FakeClock, when_asleep: list[Callable[[], object]]
) -> None:
    registry.failures = [503] * 99
    when_asleep.append(registry.failures.clear)
    assert bench.run(bench.task("true", images=(remote,))).ending is Ending.OK
    assert clock.slept == [1.0]


@on_docker_alone
def test_a_registry_that_is_not_there(bench: Bench) -> None:
    outcome = bench.run(bench.task("true", images=("127.0.0.1:9/nothing:1",)))
    assert outcome.ending is Ending.PULL_TRANSIENT
    assert "127.0.0.1:9/nothing:1 does not answer" in outcome.message


def test_a_name_that_no_image_can_have(bench: Bench) -> None:
    outcome = bench.run(bench.task("true", images=("Not A Name",)))
    assert outcome.ending is Ending.PULL_PERMANENT
    assert "Not A Name is no name" in outcome.message


def test_an_image_that_is_removed_meanwhile_is_pulled_again(
    engine: Engine, bench: Bench, registry: Registry, remote: str
) -> None:
    assert bench.run(bench.task("true", images=(remote,))).ending is Ending.OK
    remove_image(engine, remote)
    assert bench.run(bench.task("true", images=(remote,))).ending is Ending.OK
    assert len(registry.pulled) == 4


def test_an_inline_dockerfile(engine: Engine, bench: Bench) -> None:
    dockerfile = f"FROM {bench.image}\nRUN echo {secrets.token_hex(4)} > /made\nENV MADE=yes\n"
    first, second = (bench.task("cat /made; echo $MADE", images=(), dockerfile=dockerfile) for _ in range(2))
    running = [bench.begin(task) for task in (first, second)]
    assert [one.end().message for one in running] == ["", ""]
    assert first.stdout.read_text() == second.stdout.read_text()
    logs = [task.directory / "inlineDockerfile.log" for task in (first, second)]
    assert [log.exists() for log in logs].count(True) == 1, "built once"
    assert any("RUN echo" in log.read_text() for log in logs if log.exists())
    remove_image(engine, build_tag(dockerfile))


def test_an_inline_dockerfile_whose_command_fails(bench: Bench) -> None:
    task = bench.task("true", images=(), dockerfile=f"FROM {bench.image}\nRUN echo oh dear; exit 3\n")
    outcome = bench.run(task)
    assert outcome.ending is Ending.BUILD
    assert "a command of the task's Dockerfile failed" in outcome.message
    assert "oh dear" in (task.directory / "inlineDockerfile.log").read_text()


def test_an_inline_dockerfile_that_is_none(bench: Bench) -> None:
    outcome = bench.run(bench.task("true", images=(), dockerfile=f"FROM {bench.image}\nFRUM x\n"))
    assert outcome.ending is Ending.BUILD
    assert "does not build" in outcome.message


def test_the_digest_for_the_call_cache(backend: ContainerBackend, engine: Engine, image: str) -> None:
    known = engine.image(image)
    assert known is not None
    digests = [digest.partition("@")[2] for digest in known.digests]
    assert backend.image_digest(image) in (known.id, *digests)
    assert backend.image_digest("cromulent-tests/nothing:1") is None
