"""The whole engine: any order of run, describe, stop, time, fault and restart keeps tasks legal and ends each once."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, multiple, rule

from cromulent_wdl.simulator.ecs import AnswerLost, ApiError, EcsSettings, Fault, FaultPlan, Latency, Uniform
from cromulent_wdl.simulator.ecs.fault_plan import TASK_KINDS
from cromulent_wdl.simulator.planes.play_script import PlayRule, PlayScript
from tests.fakes.ecs_world import Stage, container

ORDER = ["PROVISIONING", "PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"]
LATENCY = Latency(Uniform(0, 3), Uniform(0, 3), Uniform(0, 3))
SCRIPT = PlayScript(rules=(PlayRule(seconds=(0, 20), pull_seconds=(0, 3), exit_codes={0: 1, 1: 1}),))
KINDS = sorted(TASK_KINDS | {"capacity", "throttling", "server_error", "connection_reset", "answer_lost"})
FAULTS = st.builds(
    Fault,
    kind=st.sampled_from(KINDS) | st.just("stays_running"),
    probability=st.none() | st.floats(0, 1),
    after=st.just(0.0) | st.floats(0, 5),
    warning=st.none() | st.floats(0, 5),
    times=st.none() | st.integers(0, 3),
)


class AnyOrder(RuleBasedStateMachine):
    """Two containers a task, one of them not essential."""

    arns = Bundle("arns")

    def __init__(self) -> None:
        super().__init__()
        self.accepted = self.ended = 0
        self.stage = Stage(EcsSettings(latency=LATENCY), SCRIPT)
        aside = container(name="aside", essential=False)
        self.asked(
            "RegisterTaskDefinition",
            family="two",
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[container(), aside],
        )

    def _count(self) -> None:
        """Add what the engine has counted: another one begins at nothing."""
        counted = self.stage.service.meters()["tasks"]
        self.accepted += counted["accepted"]
        self.ended += sum(counted["endings"].values())

    def asked(self, action: str, **request: Any) -> dict[str, Any] | None:
        try:
            return self.stage.ask(action, **request)
        except (ApiError, AnswerLost):
            return None  # a fault of the plan, or a task that is not visible yet

    @rule(target=arns, count=st.integers(1, 3), spot=st.booleans())
    def run(self, count: int, spot: bool) -> Any:
        provider = "FARGATE_SPOT" if spot else "FARGATE"
        strategy = [{"capacityProvider": provider}]
        try:
            tasks = self.stage.run(count=count, taskDefinition="two", capacityProviderStrategy=strategy)
        except (ApiError, AnswerLost):
            return multiple()
        return multiple(*(task["taskArn"] for task in tasks))

    @rule(arn=arns)
    def describe(self, arn: str) -> None:
        self.asked("DescribeTasks", cluster="runs", tasks=[arn])

    @rule(arn=arns)
    def stop(self, arn: str) -> None:
        self.asked("StopTask", cluster="runs", task=arn)

    @rule(arn=consumes(arns))
    def forget(self, arn: str) -> None:
        """Leave a task alone from now on."""

    @rule(seconds=st.floats(0, 10))
    def time(self, seconds: float) -> None:
        self.stage.pass_time(seconds)

    @rule()
    def restart(self) -> None:
        """Everything that goes on is lost, and ends all the same."""
        self._count()
        self.stage.restart()

    @rule(faults=st.lists(FAULTS, max_size=3))
    def fault(self, faults: list[Fault]) -> None:
        self.stage.service.set_faults(FaultPlan(faults=tuple(faults)))

    def teardown(self) -> None:
        self.stage.service.set_faults(FaultPlan())
        self.stage.pass_time(60)
        self._stop_what_stays_running()
        self.stage.pass_time(60)
        self._every_task_has_a_legal_past()

    def _stop_what_stays_running(self) -> None:
        for arn in self.stage.ask("ListTasks", cluster="runs")["taskArns"]:
            self.stage.ask("StopTask", cluster="runs", task=arn)

    def _every_task_has_a_legal_past(self) -> None:
        pasts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in self.stage.world.events():
            pasts[event["taskArn"]].append(event)
        for events in pasts.values():
            assert [event["version"] for event in events] == list(range(1, len(events) + 1))
            states = [ORDER.index(event["lastStatus"]) for event in events]
            assert states == sorted(states)
            assert [event["lastStatus"] for event in events].count("STOPPED") == 1
        self._count()
        assert self.ended == self.accepted == len(pasts)
        assert self.stage.ask("DescribeClusters", clusters=["runs"])["clusters"][0]["runningTasksCount"] == 0


AnyOrder.TestCase.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
TestAnyOrder = AnyOrder.TestCase
