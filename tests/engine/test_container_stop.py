"""A task that is stopped leaves at once and leaves nothing, whatever it was at; so does one whose engine went away."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cromulent_wdl.backends.container import ContainerBackend
from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.ledger import Ledger
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.engine import Engine, connect
from cromulent_wdl.model import Ending, Event, Resources, TaskImage, TaskStarted, TaskWaiting
from tests.engine.bench import Bench, Running
from tests.fakes.cut_line import Line, line

AT_ONCE = 9.0
"""Seconds; an engine that lets a container take leave gives it ten."""


def stop(running: Running) -> None:
    """Cancel the task; it must have ended as stopped, and at once."""
    began = SYSTEM.monotonic()
    running.cancelled.cancel()
    assert running.end().ending is Ending.STOPPED
    assert SYSTEM.monotonic() - began < AT_ONCE


def test_before_it_began(engine: Engine, bench: Bench) -> None:
    running = Running(bench.task("true"))
    running.cancelled.cancel()
    assert bench.backend.run(running.task, running.cancelled, running.report).ending is Ending.STOPPED
    assert not any(isinstance(event, TaskStarted) for event in running.events)


def test_while_its_command_runs(engine: Engine, head: Head, bench: Bench) -> None:
    running = bench.begin(bench.task("trap '' TERM INT; echo begun; sleep 60; sleep 60"))
    running.reach(TaskStarted)
    stop(running)
    assert engine.labelled("cromulent.head", head.id) == ()


def test_while_it_waits_for_cores(engine: Engine, bench: Bench) -> None:
    everything = Resources(cpu=engine.facts.cores)
    holder = bench.begin(bench.task("sleep 60", resources=everything))
    holder.reach(TaskStarted)
    waiter = bench.begin(bench.task("true", resources=everything))
    waiter.reach(TaskWaiting)
    stop(waiter)
    assert not any(isinstance(event, TaskStarted) for event in waiter.events)
    stop(holder)


def test_while_its_image_is_pulled(bench: Bench, tmp_path: Path) -> None:
    """The registry accepts connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        running = bench.begin(bench.task("true", images=(f"127.0.0.1:{port}/tests/slow:1",)))
        running.reach(TaskWaiting)
        stop(running)


@pytest.mark.parametrize("moment", [TaskImage, TaskStarted])
def test_at_the_moment_of_an_event(bench: Bench, moment: type[Event]) -> None:
    """The task's own thread cancels, between two steps: before the container is made, and when it has just begun."""
    running = Running(bench.task("sleep 60"))

    def report(event: Event) -> None:
        running.report(event)
        if isinstance(event, moment):
            running.cancelled.cancel()

    assert bench.backend.run(running.task, running.cancelled, report).ending is Ending.STOPPED


def test_at_any_moment(engine: Engine, bench: Bench) -> None:
    """Twelve tasks are stopped a little later each, from before their containers are made until they run."""
    tasks = [bench.begin(bench.task("sleep 60")) for _ in range(12)]
    for number, running in enumerate(tasks):
        threading.Timer(0.05 * number, running.cancelled.cancel).start()
    assert {running.end().ending for running in tasks} == {Ending.STOPPED}


def test_one_that_has_ended_stays_what_it_was(bench: Bench) -> None:
    running = bench.begin(bench.task("true"))
    assert running.end().ending is Ending.OK
    running.cancelled.cancel()


@pytest.fixture
def cuttable(engine: Engine, head: Head, image: str, tmp_path: Path) -> Iterator[tuple[Bench, Line]]:
    with ExitStack() as cleanup:
        # The path of a socket may have a hundred letters at most.
        directory = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        near = directory / "engine.sock"
        wire = cleanup.enter_context(line(near, Path(engine.facts.address.removeprefix("unix://"))))
        remote = cleanup.enter_context(closing(connect(engine.facts.kind, f"unix://{near}")))
        ledger = Ledger(head, engine.facts.cores, engine.facts.memory)
        backend = cleanup.enter_context(closing(ContainerBackend(remote, ledger, head)))
        yield Bench(backend, image, tmp_path / "calls"), wire
        assert engine.labelled("cromulent.head", head.id) == (), "containers were left"


def test_an_engine_that_is_restarted_under_a_task(cuttable: tuple[Bench, Line]) -> None:
    bench, wire = cuttable
    running = bench.begin(bench.task("sleep 1; echo done"))
    running.reach(TaskStarted)
    wire.cut()
    threading.Timer(1.5, wire.mend).start()
    assert running.end().ending is Ending.OK
    assert running.task.stdout.read_text() == "done\n"


def test_a_container_that_is_gone_with_a_restart(engine: Engine, cuttable: tuple[Bench, Line]) -> None:
    bench, wire = cuttable
    running = bench.begin(bench.task("sleep 60"))
    started = running.reach(TaskStarted)
    assert isinstance(started, TaskStarted)
    wire.cut()
    engine.remove(started.where)
    wire.mend()
    assert running.end().ending is Ending.LOST
