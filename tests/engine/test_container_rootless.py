"""A Podman that belongs to an ordinary user: its root is he, and its other users are nobody that he knows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing

import pytest

from cromulent_wdl.backends.container import ContainerBackend
from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.ledger import Ledger
from cromulent_wdl.engine import Engine
from cromulent_wdl.model import Ending, Resources, TaskStarted
from tests.engine import ordinary
from tests.engine.bench import INPUTS, Bench
from tests.engine.conftest import load
from tests.engine.images import busybox
from tests.engine.images.archive import image_archive

pytestmark = pytest.mark.podman
NOBODY_IMAGE = "cromulent-tests/nobody:1"


@pytest.fixture(scope="module")
def own(busybox_layer: bytes) -> Iterator[Engine]:
    if os.geteuid() != 0:
        pytest.skip("your own Podman is what the other tests use")
    if shutil.which("podman") is None or shutil.which("newuidmap") is None:
        pytest.skip("podman or newuidmap (Debian: uidmap) is not installed")
    with ordinary.own_podman() as engine:
        load(engine, busybox.busybox_image())
        load(engine, image_archive(busybox_layer, [NOBODY_IMAGE], {"User": "nobody"}))
        yield engine


@pytest.fixture
def users_bench(own: Engine, head: Head) -> Iterator[Bench]:
    """A bench on the user's Podman; the test is the user."""
    # While we are still root, who alone may write the head's files and start this Python again.
    head.uses_engine(own.facts.kind, own.facts.address)
    head.guard()
    with ordinary.home_of(ordinary.NOBODY) as home, ordinary.user(ordinary.NOBODY):
        backend = ContainerBackend(own, Ledger(head, own.facts.cores, own.facts.memory), head)
        with closing(backend):
            yield Bench(backend, busybox.TAG, home)


def test_it_says_what_it_is(own: Engine) -> None:
    assert own.facts.rootless
    assert own.facts.title.endswith("(rootless)")


@pytest.mark.parametrize("as_user", [False, True])
def test_root_of_the_image_is_the_user(users_bench: Bench, as_user: bool) -> None:
    source = users_bench.directory / "in"
    source.write_text("content")
    task = users_bench.task(f"id -u; cat {INPUTS}/in > out", source, as_user=as_user)
    assert users_bench.run(task).ending is Ending.OK
    assert task.stdout.read_text() == "0\n"
    assert (task.work / "out").stat().st_uid == ordinary.NOBODY
    assert (task.work / "out").read_text() == "content"


def test_what_another_user_of_the_image_writes_becomes_the_users(users_bench: Bench) -> None:
    task = users_bench.task("umask 077; id -u; mkdir d; echo x > d/f", images=(NOBODY_IMAGE,))
    assert users_bench.run(task).ending is Ending.OK
    assert task.stdout.read_text() == f"{ordinary.NOBODY}\n"
    assert (task.work / "d/f").read_text() == "x\n"
    assert (task.work / "d/f").stat().st_uid == ordinary.NOBODY


def test_limits_that_it_cannot_hold_do_not_stop_it(own: Engine, users_bench: Bench) -> None:
    needs = Resources(cpu=1, memory=50_000_000, memory_limit=50_000_000)
    outcome = users_bench.run(users_bench.task("true", resources=needs))
    assert outcome.ending is Ending.OK
    assert outcome.usage.seconds is not None
    assert (outcome.usage.memory_peak is not None) is own.facts.own_cgroups


def test_it_is_stopped_at_once(own: Engine, users_bench: Bench) -> None:
    running = users_bench.begin(users_bench.task("trap '' TERM; sleep 60; sleep 60"))
    running.reach(TaskStarted)
    running.cancelled.cancel()
    assert running.end().ending is Ending.STOPPED
    assert own.labelled("cromulent.call", running.task.call) == ()
