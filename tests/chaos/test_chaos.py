"""After a storm: the run has ended right or with the right name, nothing runs on, nothing is lost or mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.simulator.cloud import Cloud
from tests.simulator.conftest import started
from tests.simulator.fargate import Lab

from .storms import Storm, storm_of
from .voyages import Voyage, sail

_accounts = count(777777777001)
_PLAY = '{"rules": [{"seconds": [0.1, 1.5]}]}'


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each seed."""
    seeds, kills = metafunc.config.getoption("--chaos-seeds"), metafunc.config.getoption("--chaos-kills")
    calm = [storm_of(seed, 0) for seed in range(seeds)]
    killed = [storm_of(1000 + seed, 2) for seed in range(kills)]
    metafunc.parametrize("storm", [*calm, *killed], ids=str)


@pytest.fixture(scope="module")
def simulations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Simulation]]:
    """One simulator that really runs tasks, and one that plays them."""
    simulator = contextmanager(started)
    with simulator(tmp_path_factory, Settings(data_plane="process")) as real:
        with simulator(tmp_path_factory, Settings(play=_PLAY)) as played:
            yield {True: real, False: played}


@pytest.fixture
def lab(simulations: dict[bool, Simulation], storm: Storm, tmp_path: Path) -> Iterator[Lab]:
    simulation = simulations[storm.real]
    with Cloud.at(simulation.address, str(next(_accounts)), "secret") as cloud:
        yield Lab.of(simulation, cloud, tmp_path)


def test_a_storm(lab: Lab, storm: Storm) -> None:
    voyage = sail(lab, storm)
    assert not lab.live(), "tasks run on"
    assert voyage.done_again() == set()
    if voyage.status == 0:
        _came_home(voyage, storm)
    else:
        assert voyage.ending in storm.endings, voyage.stderr[-2000:]


def _came_home(voyage: Voyage, storm: Storm) -> None:
    if not storm.real:
        assert voyage.outputs["numbers.answers"] == list(range(storm.tasks))
        return
    assert voyage.outputs["chaos.numbers"] == list(range(storm.tasks))
    for number, (file, said) in enumerate(
        zip(voyage.outputs["chaos.tokens"], voyage.outputs["chaos.said"], strict=True)
    ):
        assert Path(file).read_text().strip() == said, "outputs of two attempts"
        ran = (voyage.directory / "ledger" / str(number)).read_text().split()
        assert said in ran, "an output that nobody made"
