"""Many tasks at once, and the files of an ordinary user."""

from __future__ import annotations

import itertools
import os

import pytest
from urllib3 import Timeout

from cromulent_wdl.backends.container import ContainerBackend
from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.ledger import Ledger
from cromulent_wdl.engine import Engine, remove_containers_of
from cromulent_wdl.engine.own_connections import OwnConnections
from cromulent_wdl.model import Ending, Resources, TaskStarted
from tests.engine import ordinary
from tests.engine.bench import Bench
from tests.engine.conftest import load
from tests.engine.images.archive import image_archive
from tests.fakes.waiting import eventually

ORDINARY = 54321


def test_fifty_at_once(bench: Bench) -> None:
    tasks = [bench.task(f"echo {number}; exit {number % 3}") for number in range(50)]
    running = [bench.begin(task) for task in tasks]
    assert [one.end().exit_code for one in running] == [number % 3 for number in range(50)]
    assert [task.stdout.read_text() for task in tasks] == [f"{number}\n" for number in range(50)]


def test_a_request_that_many_others_overtake_is_carried_out(engine: Engine) -> None:
    if not engine.facts.address.startswith("unix://"):
        pytest.skip("the engine listens at no socket")
    connections = OwnConnections(f"http+{engine.facts.address}")
    first, *_ = (connections.get_connection(f"http+docker://localhost/{number}") for number in range(100))
    assert first.urlopen("GET", "/_ping", timeout=Timeout(60)).status == 200


def test_no_more_at_once_than_there_are_cores(engine: Engine, bench: Bench) -> None:
    cores = engine.facts.cores
    tasks = [
        bench.task("cat /proc/uptime; sleep 0.2; cat /proc/uptime", resources=Resources(cpu=1))
        for _ in range(3 * cores)
    ]
    assert {one.end().ending for one in [bench.begin(task) for task in tasks]} == {Ending.OK}
    moments = []
    for task in tasks:
        began, _, ended, _ = map(float, task.stdout.read_text().split())
        moments += [(began, 1), (ended, -1)]
    under_way = list(itertools.accumulate(change for _, change in sorted(moments)))
    assert max(under_way) <= cores


def test_a_dead_heads_containers_are_removed(engine: Engine, head: Head, bench: Bench) -> None:
    running = [bench.begin(bench.task("sleep 60")) for _ in range(3)]
    for one in running:
        one.reach(TaskStarted)
    assert remove_containers_of(engine, "another head") == 0
    assert remove_containers_of(engine, head.id) == 3
    assert {one.end().ending for one in running} == {Ending.LOST}


@pytest.mark.parametrize("engine", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True)
@pytest.mark.parametrize("way", ["root of the image", "user of the image", "killed", "kept"])
def test_what_a_task_writes_belongs_to_the_user(
    engine: Engine, head: Head, busybox_layer: bytes, bench: Bench, way: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    load(engine, image_archive(busybox_layer, ["cromulent-tests/nobody:1"], {"User": "nobody"}))
    image = "cromulent-tests/nobody:1" if way == "user of the image" else bench.image
    # While we are still root, who alone may write the head's files and start this Python again.
    head.uses_engine(engine.facts.kind, engine.facts.address)
    head.guard()
    docker_group = os.stat(engine.facts.address.removeprefix("unix://")).st_gid
    with ordinary.home_of(ORDINARY) as home, ordinary.user(ORDINARY, docker_group):
        backend = ContainerBackend(engine, Ledger(head, engine.facts.cores, engine.facts.memory), head)
        bench = Bench(backend, image, home)
        write = "umask 077; mkdir -p d/e; echo x > d/e/f; ln -s /etc/passwd link; id -u"
        task = bench.task(write + ("; sleep 60" if way == "killed" else ""), return_ownership=way != "kept")
        running = bench.begin(task)
        if way == "killed":
            running.reach(TaskStarted)
            assert eventually(task.stdout.read_text)
            running.cancelled.cancel()
        running.end()
        owners = {path.lstat().st_uid for path in (task.work, task.work / "d", task.work / "link")}
        if way == "kept":
            assert owners == {ORDINARY, 0}
            return
        assert owners == {ORDINARY}
        assert (task.work / "d/e/f").read_text() == "x\n"
    assert os.stat("/etc/passwd").st_uid == 0
