"""After its perils: a run in the cloud has ended right, nothing was done twice, and nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cromulent_wdl.model import CallCached, CallEnded, Ending, Event
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.simulator.settings import Settings
from cromulent_wdl.storage.layout import JOURNAL
from tests.simulator.conftest import started

from .passages import Passage, Waters, sail, waters
from .perils import Perils, perils_of

_CALLS = {"embark", "carry[0]", "carry[1]", "carry[2]", "carry[3]", "disembark"}
_NAMED = f"ubuntu@sha256:{'5' * 64}"
"""An image whose name has its digest, so that the call cache needs no registry to know it; processes ignore images."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each seed."""
    seeds = metafunc.config.getoption("--chaos-cloud")
    metafunc.parametrize("perils", [perils_of(seed) for seed in range(seeds)], ids=str)


@pytest.fixture(scope="module")
def deployments(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[bool], Waters]]:
    """One deployment whose tasks are processes, and one whose tasks are containers, made when first asked for."""
    simulator = contextmanager(lambda settings: started(tmp_path_factory, settings))
    made: dict[bool, Waters] = {}
    with ExitStack() as stack:

        def deployment(real: bool) -> Waters:
            if real not in made:
                kind = "docker" if real else "process"
                options = ("--head-image", request.getfixturevalue("head_image")) if real else ()
                settings = Settings(enforce_iam=True, data_plane=kind)
                directory = tmp_path_factory.mktemp(kind)
                made[real] = stack.enter_context(waters(simulator, settings, directory, *options))
            return made[real]

        yield deployment


def test_a_passage(
    deployments: Callable[[bool], Waters], perils: Perils, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    image = request.getfixturevalue("task_image") if perils.real else _NAMED
    passage = sail(deployments(perils.real), perils, f"image={image}")
    _, said = passage.said[-1]
    assert said.status == 0, passage
    landed = [f"cargo of {perils.seed} {number}" for number in range(4)]
    assert said.result["outputs"]["crossing.landed"] == landed
    brought = passage.waters.laptop("outputs", list(passage.runs)[-1], "--download", str(tmp_path)).result["outputs"]
    assert Path(brought["crossing.whole"]).read_text().splitlines() == landed
    assert passage.struck, "nothing was disturbed"
    assert not passage.left, passage
    _ended_as_they_should(passage, perils)
    _nothing_was_done_twice(passage, across_runs=not perils.real)


def _ended_as_they_should(passage: Passage, perils: Perils) -> None:
    *earlier, last = passage.runs.values()
    assert last == "SUCCEEDED", passage
    assert set(earlier) <= ({"ABORTED"} if perils.stopped else set()), passage


def _nothing_was_done_twice(passage: Passage, *, across_runs: bool) -> None:
    done: set[str] = set()
    for run in passage.runs:
        calls = passage.waters.directory_of(run).glob("call-*")
        marks = {call.name: list(filter(_is_no_link, call.glob("work*/finished"))) for call in calls}
        assert all(len(attempts) <= 1 for attempts in marks.values()), f"done twice: {marks}\n{passage}"
        events = _journal(passage, run)
        cached = {event.call for event in events if isinstance(event, CallCached)}
        assert not across_runs or done <= cached, f"done by an earlier run, and again: {passage}"
        done |= {call for event in events if (call := _ended_well(event))}
    assert done == _CALLS


def _is_no_link(mark: Path) -> bool:
    """Whether a mark is in an attempt's own directory: `work` may lead to that of the last attempt."""
    return not mark.parent.is_symlink()


def _journal(passage: Passage, run: str) -> list[Event]:
    machine = passage.waters.elsewhere()
    assert machine("status", run).status == 0
    (journal,) = machine.directory.glob(f"state/**/{run}/{JOURNAL}")
    return list(JournalReader(journal).new())


def _ended_well(event: Event) -> str:
    well = isinstance(event, CallCached) or (isinstance(event, CallEnded) and event.ending is Ending.OK)
    return str(event.call) if well else ""  # type: ignore[union-attr]  # events of calls have one
