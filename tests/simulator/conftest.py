"""Two simulators for the whole session: one that lets everybody do everything, and one that enforces IAM."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from cromulent_wdl.simulator.errors import SimulatorFailed
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.fakes.ports import own_port
from tests.programs import running

from .cloud import Cloud, Stack, until
from .fargate import Lab

TEMPLATE = Path(__file__).with_name("stack.yaml").read_text()

_accounts = count(111111111111)
_STOCK_ROOT = ("AKIASTOCKROOT0000000", "secret")


@pytest.fixture(scope="session")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    yield from started(tmp_path_factory, Settings())


@pytest.fixture(scope="session")
def strict_simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    yield from started(tmp_path_factory, Settings(enforce_iam=True))


def started(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Simulation]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        simulation = Simulation.start(settings)
        try:
            yield simulation
        finally:
            simulation.close()


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    """A simulator that lets everybody do everything, and runs tasks as processes."""
    try:
        yield from started(tmp_path_factory, Settings(data_plane="process"))
    except SimulatorFailed as failed:
        pytest.skip(str(failed))


@pytest.fixture
def lab(processes: Simulation, tmp_path: Path) -> Iterator[Lab]:
    """A deployment in an account of its own, whose file system this machine has."""
    with Cloud.at(processes.address, str(next(_accounts)), "secret") as cloud:
        made = Lab.of(processes, cloud, tmp_path)
        yield made
        made.afflict()  # faults that strike everybody must not strike others


@pytest.fixture
def cloud(simulation: Simulation) -> Iterator[Cloud]:
    """An account of its own in the simulator that lets everybody do everything."""
    with Cloud.at(simulation.address, str(next(_accounts)), "secret") as cloud:
        yield cloud


def account_number() -> int:
    """Return a number that no other test has, for an account or a name."""
    return next(_accounts)


@pytest.fixture
def root(strict_root: Cloud) -> Cloud:
    """The root of the simulator that enforces IAM; its one account is shared, so names must differ."""
    return strict_root


@pytest.fixture(scope="session")
def strict_root(strict_simulation: Simulation) -> Iterator[Cloud]:
    """The same for what lives longer than a test."""
    keys = strict_simulation.environment
    with Cloud.at(strict_simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as cloud:
        yield cloud


@pytest.fixture
def stack(cloud: Cloud) -> Stack:
    """The stack of stack.yaml in an account of its own."""
    return cloud.create_stack("trial", TEMPLATE)


@pytest.fixture
def strict_stack(root: Cloud) -> Iterator[Stack]:
    """The same where IAM is enforced."""
    name = f"trial{next(_accounts)}"
    stack = root.create_stack(name, TEMPLATE, Prefix=name)
    yield replace(stack)
    root.delete_stack(name)


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """ministack as it comes, with its IAM enforced."""
    directory = tmp_path_factory.mktemp("stock")
    port = own_port()
    environment = {
        **os.environ,
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": _STOCK_ROOT[0],
        "AWS_SECRET_ACCESS_KEY": _STOCK_ROOT[1],
        "BIND_HOST": "127.0.0.1",
        "DOCKER_HOST": f"unix://{directory}/none",  # or else it removes other people's containers
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "CRITICAL",
        "TMPDIR": str(directory),
    }
    with running([sys.executable, "-m", "ministack"], env=environment, cwd=directory) as process:
        try:
            until(lambda: _answers(port))
            with Cloud.at(f"http://127.0.0.1:{port}", *_STOCK_ROOT) as cloud:
                yield cloud
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
