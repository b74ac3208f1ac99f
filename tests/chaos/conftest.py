"""Docker, with the images of heads and tasks in it, for runs of containers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from cromulent_wdl.engine import Engine, connect
from cromulent_wdl.errors import EngineUnavailable
from tests.engine.conftest import load
from tests.engine.images import busybox, debian_python


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    try:
        connected = connect("docker")
    except EngineUnavailable as error:
        pytest.skip(f"{error}: {error.hint}")
    with closing(connected):
        yield connected


@pytest.fixture(scope="session")
def head_image(docker_engine: Engine) -> str:
    if refusal := debian_python.refusal():
        pytest.skip(refusal)
    load(docker_engine, debian_python.python_image())
    return debian_python.TAG


@pytest.fixture(scope="session")
def task_image(docker_engine: Engine) -> str:
    if refusal := busybox.refusal():
        pytest.skip(refusal)
    load(docker_engine, busybox.busybox_image())
    return busybox.TAG
