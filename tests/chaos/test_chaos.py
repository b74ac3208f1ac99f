"""After a storm: the run has ended right or with the right name, nothing runs on, nothing is lost or mixed up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from cromulent_wdl.model import Ending
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.simulator.cloud import Cloud
from tests.simulator.conftest import started
from tests.simulator.fargate import Lab

from .storms import Storm, storm_of
from .voyages import Voyage, sail

_accounts = count(777777777001)
_FEW, _MANY = 2, 12
"""Heads of a run that are killed, if any; many where tasks really run."""
_PLAY = '{"rules": [{"seconds": [0.1, 1.5]}]}'


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each seed."""
    seeds, kills, first = (metafunc.config.getoption(f"--chaos-{name}") for name in ("seeds", "kills", "first"))
    calm = [storm_of(seed, 0) for seed in range(first, first + seeds)]
    killed = [storm_of(1000 + seed, _MANY if seed % 10 == 5 else _FEW) for seed in range(first, first + kills)]
    metafunc.parametrize("storm", [*calm, *killed], ids=str)


@pytest.fixture(scope="module")
def simulations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Simulation]]:
    """One simulator that really runs tasks, and one that plays them."""
    simulator = contextmanager(started)
    with simulator(tmp_path_factory, Settings(data_plane="process")) as real:
        with simulator(tmp_path_factory, Settings(play=_PLAY)) as played:
            yield {True: real, False: played}


@pytest.fixture
def lab(
    simulations: dict[bool, Simulation], storm: Storm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lab]:
    monkeypatch.setenv("PYTHONFAULTHANDLER", "1")  # a head that hangs is asked where, by SIGABRT
    simulation = simulations[storm.real]
    with Cloud.at(simulation.address, str(next(_accounts)), "secret") as cloud:
        made = Lab.of(simulation, cloud, tmp_path)
        yield made
        shutil.rmtree(made.mount / "run", ignore_errors=True)  # thousands of small files: each storm its own


def test_a_storm(lab: Lab, storm: Storm, record_property: Callable[[str, object], None]) -> None:
    voyage = sail(lab, storm)
    record_property("heads", voyage.summary)
    assert not lab.live(), f"tasks run on\n{voyage}"
    assert voyage.done_again() == set(), str(voyage)
    assert voyage.untold() == set(), str(voyage)
    if voyage.status == 0:
        assert voyage.ending is Ending.OK, str(voyage)
        _came_home(voyage)
    else:
        assert voyage.ending in storm.endings, str(voyage)


def _came_home(voyage: Voyage) -> None:
    count = voyage.storm.tasks
    if not voyage.storm.real:
        assert voyage.outputs["numbers.answers"] == list(range(count)), str(voyage)
        return
    assert voyage.outputs["chaos.numbers"] == list(range(count)), str(voyage)
    tokens, said = voyage.outputs["chaos.tokens"], voyage.outputs["chaos.said"]
    for number, (file, word) in enumerate(zip(tokens, said, strict=True)):
        assert Path(file).read_text().strip() == word, f"outputs of two attempts: {number}\n{voyage}"
        ran = (voyage.directory / "ledger" / str(number)).read_text().split()
        assert word in ran, f"an output that nobody made: {number}\n{voyage}"
