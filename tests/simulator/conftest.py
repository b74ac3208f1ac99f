"""Two simulators for the whole session: one that lets everybody do everything, and one that enforces IAM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .cloud import Cloud, Stack

TEMPLATE = Path(__file__).with_name("stack.yaml").read_text()

_accounts = count(111111111111)


@pytest.fixture(scope="session")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    yield from _started(tmp_path_factory, Settings())


@pytest.fixture(scope="session")
def strict_simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    yield from _started(tmp_path_factory, Settings(enforce_iam=True))


def _started(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Simulation]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        simulation = Simulation.start(settings)
        try:
            yield simulation
        finally:
            simulation.close()


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
