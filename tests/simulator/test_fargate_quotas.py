"""Tasks in an account that may run little: what is turned away, what goes on demand, and what waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.model import EcsTaskLaunched, Ending, Outcome, Resources, TaskPlaced, TaskWaiting
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.fakes.attempts import run_task
from tests.fakes.process_tasks import Events
from tests.fakes.waiting import eventually

from .cloud import Cloud
from .fargate import Lab


@pytest.fixture
def poor(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Lab]:
    """A deployment in an account that may run one vCPU on Spot, and one on demand."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    simulation = Simulation.start(Settings(vcpu_quota=1.0, data_plane="process"))
    try:
        with Cloud.at(simulation.address, "111111111111", "secret") as cloud:
            yield Lab.of(simulation, cloud, tmp_path)
    finally:
        simulation.close()


def test_row_14_what_no_quota_holds_is_turned_away_and_what_spots_lacks_room_for_goes_on_demand(poor: Lab) -> None:
    run = poor.mount / "run"
    run.mkdir()
    given = {"images": ("ubuntu:22.04",), "run_id": "run", "preemptible": True}
    large = run_task(run, "call-large", "true", resources=Resources(cpu=16), **given)
    tasks = [run_task(run, f"call-one-{n}", "sleep 1", resources=Resources(cpu=1), **given) for n in range(3)]
    events = Events()
    with poor.backend() as backend:
        refused = backend.run(large, Cancellation(), Events())
        with ThreadPoolExecutor() as pool:
            outcomes = list(pool.map(lambda task: backend.run(task, Cancellation(), events), tasks))

    assert refused.ending is Ending.QUOTA
    assert "it needs 16 vCPUs, and the account may run 1 Fargate Spot and 1 Fargate On-Demand vCPUs" in refused.message
    assert "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/fargate/quotas/L-" in refused.message
    assert [outcome.ending for outcome in outcomes] == [Ending.OK] * 3
    places = [event.place for event in events if isinstance(event, EcsTaskLaunched)]
    assert {"spot", "on_demand"} <= set(places)
    whys = [event.why for event in events if isinstance(event, TaskPlaced)]
    assert any(why.startswith("on demand") and "1 of the 1 Fargate Spot vCPUs" in why for why in whys)
    waits = {event.why for event in events if isinstance(event, TaskWaiting) and event.on == "room"}
    assert any("Spot vCPUs" in why and "1 of the 1 Fargate On-Demand vCPUs" in why for why in waits)


def test_who_waits_for_a_definition_takes_nobodys_room(poor: Lab) -> None:
    run = poor.mount / "run"
    run.mkdir()
    given = {"images": ("ubuntu:22.04",), "run_id": "run", "resources": Resources(cpu=1)}
    first, waits, goes = (run_task(run, f"call-{name}", "true", **given) for name in ("first", "waits", "goes"))
    cancelled, events, outcomes = Cancellation(), Events(), list[Outcome]()
    with poor.backend(retry_pause=0.0, capacity_pause=600.0, capacity_patience=3600.0) as backend:
        assert backend.run(first, Cancellation(), Events()).ending is Ending.OK
        [task] = poor.tasks()
        poor.cloud.client("ecs").deregister_task_definition(taskDefinition=task["taskDefinitionArn"])
        poor.afflict({"kind": "throttling", "action": "DescribeTaskDefinition", "family": None, "times": 8})
        thread = threading.Thread(target=lambda: outcomes.append(backend.run(waits, cancelled, events)), daemon=True)
        thread.start()
        assert eventually(lambda: any("fewer calls" in e.why for e in events if isinstance(e, TaskWaiting)))
        assert backend.run(goes, Cancellation(), Events()).ending is Ending.OK
        cancelled.cancel()
        thread.join(30)
    assert [outcome.ending for outcome in outcomes] == [Ending.STOPPED]
