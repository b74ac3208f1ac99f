"""The engines that are here, with the test images in them, and a bench on which tasks are run.

Each test that asks for `engine` runs once on Docker and once on Podman. An engine that is not here leaves its half
out, with the engine's own sentence as the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import docker
import pytest

from cromulent_wdl.backends.container import ContainerBackend
from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.ledger import Ledger
from cromulent_wdl.engine import Engine, connect
from cromulent_wdl.errors import EngineUnavailable
from tests.engine.bench import Bench
from tests.engine.images import busybox
from tests.fakes.clocks import FakeClock

ENGINES = [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("docker", "podman")]


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    try:
        connected = connect(request.param)
    except EngineUnavailable as error:
        pytest.skip(f"{error}: {error.hint}")
    with closing(connected):
        yield connected


@pytest.fixture(scope="session")
def busybox_layer() -> bytes:
    refusal = busybox.refusal()
    if refusal:
        pytest.skip(f"the test image cannot be made: {refusal}")
    return busybox.busybox_layer()


@pytest.fixture(scope="session")
def image(engine: Engine, busybox_layer: bytes) -> str:
    if engine.image(busybox.TAG) is None:
        load(engine, busybox.busybox_image())
    return busybox.TAG


def load(engine: Engine, archive: bytes) -> None:
    """Load an image archive into the engine."""
    with closing(docker.APIClient(engine.facts.address, "1.41")) as api:
        list(api.load_image(archive))


def remove_image(engine: Engine, name: str) -> None:
    """Remove an image from the engine if it is there."""
    with closing(docker.APIClient(engine.facts.address, "1.41")) as api, suppress(docker.errors.NotFound):
        api.remove_image(name, force=True)


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """One head for all: its guardian takes longer to start than most tasks take to run."""
    directory = tmp_path_factory.mktemp("head")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(directory))
        opened = Head.open("test", directory)
    with closing(opened):
        yield opened


@pytest.fixture
def when_asleep() -> list[Callable[[], object]]:
    """What happens while a pull waits before it is tried again."""
    return []


@pytest.fixture
def clock(when_asleep: list[Callable[[], object]]) -> FakeClock:
    return FakeClock(asleep=lambda: [happen() for happen in when_asleep])


@pytest.fixture
def backend(engine: Engine, head: Head, clock: FakeClock) -> Iterator[ContainerBackend]:
    ledger = Ledger(head, engine.facts.cores, engine.facts.memory)
    with closing(ContainerBackend(engine, ledger, head, pull_attempts=2, clock=clock)) as made:
        yield made
    assert engine.labelled("cromulent.head", head.id) == (), "containers were left"


@pytest.fixture
def bench(backend: ContainerBackend, image: str, tmp_path: Path) -> Bench:
    return Bench(backend, image, tmp_path / "calls")
