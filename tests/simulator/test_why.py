"""What `cromulent why` says of runs that failed on Fargate, in the simulator, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.golden import check

from .cloud import Cloud
from .conftest import account_number
from .fargate import Lab

_WORKFLOW = """version 1.1
task align {{
  input {{ Int sample }}
  command <<<
{command}
  >>>
  runtime {{ cpu: 4 memory: "9.3 GB" {runtime} }}
}}
workflow work {{
  call align {{ input: sample = 7 }}
}}
"""


@pytest.fixture(scope="module")
def lab(processes: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One deployment for all: each run is the last one when it is asked about."""
    with Cloud.at(processes.address, str(account_number()), "secret") as cloud:
        yield Lab.of(processes, cloud, tmp_path_factory.mktemp("home"))


_SLEEP = "  echo aligning >&2\n  sleep 60"


def fail(lab: Lab, command: str, runtime: str = "", *faults: dict[str, Any], **settings: str) -> str:
    """Run the workflow, which must fail, and return what `why` says of it."""
    (lab.mount / "work.wdl").write_text(_WORKFLOW.format(command=command, runtime=runtime))
    lab.afflict(*faults)
    ran = lab.run("run", "work.wdl", "--no-cache", "--dir", str(lab.mount / "runs"), retry_pause="0.001", **settings)
    assert ran.status not in (0, 70), ran.stderr
    said = lab.run("why", "last")
    assert said.status == 0, said.stderr
    return said.stdout


# name: command, runtime, what befalls `align`
_CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "fargate_failed": ("  echo no index >&2; exit 3", "maxRetries: 1", {}),
    "fargate_oom": ("  echo aligning >&2; sleep 0.5", "", {"kind": "out_of_memory", "exit_code": 137}),
    "fargate_disk_full": (_SLEEP, "", {"kind": "pull_disk_full"}),
    "fargate_network": (_SLEEP, "", {"kind": "eni_timeout"}),
    "fargate_mount": (_SLEEP, "", {"kind": "efs_mount"}),
    "fargate_pull_transient": (_SLEEP, "", {"kind": "pull_rate_limit"}),
    "fargate_pull_permanent": (_SLEEP, "", {"kind": "pull_not_found"}),
    "fargate_capacity": (_SLEEP, "", {"kind": "capacity"}),
    "fargate_spot": (
        "  echo begun >&2; sleep 1.5; exit 3",
        "preemptible: 1",
        {"kind": "spot_interruption", "after": 0.3, "warning": 0.1},
    ),
    "fargate_deadline": (_SLEEP, "timeout_minutes: 0.02", {}),
    "fargate_refused": (_SLEEP, "gpu: true", {}),
    "fargate_lost": (_SLEEP, "", {"kind": "host_lost", "after": 0.3}),
}


@pytest.mark.parametrize("name", _CASES)
def test_why(lab: Lab, name: str) -> None:
    command, runtime, fault = _CASES[name]
    settings = {"fargate_capacity": {"capacity_patience": "0.2"}}.get(name, {})
    said = fail(lab, command, runtime, *([fault] if fault else []), **settings)
    check(f"why/{name}.txt", said, lab.mount, lab.home)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The same in an account that may run half a vCPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        simulation = Simulation.start(Settings(data_plane="process", vcpu_quota=0.5))
    try:
        with Cloud.at(simulation.address, str(account_number()), "secret") as cloud:
            yield Lab.of(simulation, cloud, tmp_path_factory.mktemp("home"))
    finally:
        simulation.close()


def test_why_the_quota_does_not_allow_it(small: Lab) -> None:
    said = fail(small, _SLEEP, capacity_patience="0.2")
    check("why/fargate_quota.txt", said, small.mount, small.home)


def test_why_aws_asked_for_fewer_calls(lab: Lab) -> None:
    fault = {"kind": "throttling", "action": "RunTask", "family": None}
    said = fail(lab, _SLEEP, "", fault, capacity_patience="0.2")
    lab.afflict()
    check("why/fargate_throttled.txt", said, lab.mount, lab.home)


def test_what_a_run_cost_and_what_of_it_was_lost(lab: Lab) -> None:
    fault = {"kind": "spot_interruption", "after": 0.3, "warning": 0.1}
    fail(lab, "  sleep 1.5; exit 3", "preemptible: 1", fault)
    said = lab.run("cost", "--json", "last")
    (record,) = json.loads(said.stdout)
    spot, demand = record["tasks"]
    assert (spot["place"], spot["wasted"]) == ("spot", "spot") and (demand["place"], demand["wasted"]) == (
        "on_demand",
        "failed",
    )
    assert spot["seconds"] == demand["seconds"] == 60, "a minute at least"
    # 4 vCPU and 9 GB for a minute, with an address: (4 x 0.04048 + 9 x 0.004445 + 0.005) / 60
    assert demand["dollars"] == pytest.approx((4 * 0.04048 + 9 * 0.004445 + 0.005) / 60, rel=0.001)
    assert record["waste"]["no_result"] == pytest.approx(record["dollars"], rel=0.001)
    report = lab.run("report", "last", "-o", str(lab.home / "run.html"))
    assert report.status == 0 and "Fargate Spot" in (lab.home / "run.html").read_text()
