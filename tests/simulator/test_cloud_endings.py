"""A run in the cloud whose head is lost, whose execution is stopped, or whose watcher goes: nothing is lost or left."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.programs import ended

from .cloud import Cloud, until
from .cloud_runs import Machine, head_of, user
from .conftest import started

STEPS = """version 1.1
task first {
  command <<< date +%s%N >>>
  output { String at = read_string(stdout()) }
}
task second {
  input { String at }
  command <<<
    echo begun >&2
    until [ -e ../../go ]; do sleep 0.1; done
    echo "after ~{at}"
  >>>
  output { String said = read_string(stdout()) }
}
workflow steps {
  call first
  call second { input: at = first.at }
  output { String said = second.said }
}
"""
LONG = "version 1.1\ntask long { command <<< sleep 600 >>> output { String s = read_string(stdout()) } }\n"


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    yield from started(tmp_path_factory, Settings(enforce_iam=True, data_plane="process"))


@pytest.fixture(scope="module")
def laptop(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine.new(simulation, tmp_path_factory.mktemp("laptop"))
    made = machine("up", "--yes")
    assert made.status == 0, made.err
    machine.write("steps.wdl", STEPS)
    machine.write("long.wdl", LONG)
    return machine


@pytest.fixture
def cloud(simulation: Simulation) -> Iterator[Cloud]:
    keys = simulation.environment
    with Cloud.at(simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as cloud:
        yield cloud


def running(laptop: Machine, run: str, call: str) -> bool:
    said = laptop("status", run, "--json")
    return said.status == 0 and any(
        each["call"] == call and each["state"] == "running" and each["attempts"] and each["attempts"][-1]["where"]
        for each in said.result["calls"]
    )


def go_on(simulation: Simulation) -> None:
    """Let the second steps of all runs come to their end."""
    for run in simulation.files.glob("*/cromulent/runs/*"):
        (run / "go").touch()


def tasks(cloud: Cloud) -> list[str]:
    """Return the tasks that are to run."""
    ecs = cloud.client("ecs")
    (cluster,) = ecs.list_clusters()["clusterArns"]
    return list(ecs.list_tasks(cluster=cluster)["taskArns"])


def test_a_head_that_is_killed_is_followed_by_one_that_goes_on(
    simulation: Simulation, laptop: Machine, cloud: Cloud
) -> None:
    (run,) = laptop("run", "steps.wdl", "--on", "aws", "--detach").out.split()
    until(lambda: running(laptop, run, "second"), 60)
    head = head_of(run)
    assert head is not None
    head.send_signal(signal.SIGKILL)
    go_on(simulation)

    ended = laptop("attach", run)
    assert ended.status == 0, ended.err
    at = ended.result["outputs"]["steps.said"].removeprefix("after ")
    assert at.isdecimal()
    log = laptop("logs", run).out
    assert log.count("second.stderr VERBOSE begun") <= 2
    journal = laptop("status", run, "--json").result
    assert journal["state"] == "ok"
    assert {each["call"] for each in journal["calls"]} == {"first", "second"}
    until(lambda: tasks(cloud) == [], 60)


def test_an_execution_that_is_stopped_from_outside_leaves_no_task(laptop: Machine, cloud: Cloud) -> None:
    (run,) = laptop("run", "long.wdl", "--on", "aws", "--detach").out.split()
    until(lambda: running(laptop, run, "long"), 60)
    machines = cloud.client("stepfunctions").list_state_machines()["stateMachines"]
    (machine,) = [each["stateMachineArn"] for each in machines if each["name"].endswith("-run")]
    cloud.client("stepfunctions").stop_execution(executionArn=_execution(machine, run), cause="enough")

    until(lambda: tasks(cloud) == [], 60)
    assert laptop("wait", run).status == 130
    shown = laptop("status", run, "--json").result
    assert (shown["state"], shown["message"]) in (("stopped", "enough"), ("stopped", "The run was stopped"))


def test_a_run_that_others_start_with_an_input_that_is_not_there_ends_and_says_so(
    laptop: Machine, cloud: Cloud
) -> None:
    laptop.write("read.wdl", "version 1.1\ntask read { input { File f } command <<< >>> }\n")
    laptop.write("f.txt", "there\n")
    (run,) = laptop("run", "read.wdl", "f=f.txt", "--on", "aws", "--detach").out.split()
    assert laptop("wait", run).status == 0
    states, (bucket,) = cloud.client("stepfunctions"), cloud.client("s3").list_buckets()["Buckets"]
    machines = states.list_state_machines()["stateMachines"]
    (machine,) = [each["stateMachineArn"] for each in machines if each["name"].endswith("-run")]
    first = json.loads(states.describe_execution(executionArn=_execution(machine, run))["input"])
    missing = {"read.f": f"s3://{bucket['Name']}/none"}
    again = f"{run[:-4]}zzzz"
    states.start_execution(stateMachineArn=machine, name=again, input=json.dumps({**first, "inputs": missing}))
    assert laptop("wait", again).status == 2
    shown = laptop("status", again, "--json").result
    assert (shown["state"], shown["message"]) == ("failed", f"there is nothing at {missing['read.f']}")


def _execution(machine: str, run: str) -> str:
    return f"{machine.replace(':stateMachine:', ':execution:')}:{run}"


def test_who_follows_may_be_killed(simulation: Simulation, laptop: Machine) -> None:
    follower = laptop.start("run", "steps.wdl", "--on", "aws", "--no-cache")
    assert follower.stderr is not None
    assert any(line.startswith("● second") for line in follower.stderr)
    follower.kill()
    ended(follower)
    go_on(simulation)
    last = laptop("attach", "last")
    assert last.status == 0, last.err
    assert json.loads(last.out)["outputs"]["steps.said"].startswith("after ")


def test_credentials_that_expire_in_the_middle_end_the_watching_and_not_the_run(
    simulation: Simulation, laptop: Machine, cloud: Cloud, tmp_path: Path
) -> None:
    guest = Machine.new(simulation, tmp_path / "guest", keys := user(simulation, laptop, "guest", "--run"))
    guest.write("steps.wdl", STEPS)
    follower = guest.start("run", "steps.wdl", "--on", "aws", "--no-cache")
    assert follower.stderr is not None
    assert any(line.startswith("● second") for line in follower.stderr)
    cloud.client("iam").delete_access_key(UserName="guest", AccessKeyId=keys["AWS_ACCESS_KEY_ID"])
    out, err = ended(follower)
    run = guest("ls", "--json").result[0]["run"]
    assert (follower.returncode, out) == (1, "")
    assert "AWS does not accept the credentials" in err
    assert err.endswith(f"hint: log in again; the run goes on: cromulent attach {run}\n")
    go_on(simulation)
    followed = laptop("attach", run)
    assert followed.status == 0, followed.err
    assert followed.result["outputs"]["steps.said"].startswith("after ")


QUICK = "version 1.1\ntask quick { command <<< echo said >>> output { String said = read_string(stdout()) } }\n"


def test_a_run_whose_record_was_removed_says_what_is_gone_and_runs_again(
    simulation: Simulation, laptop: Machine, tmp_path: Path
) -> None:
    laptop.write("quick.wdl", QUICK)
    (run,) = laptop("run", "quick.wdl", "--on", "aws", "--detach").out.split()
    assert laptop("wait", run).status == 0
    other = Machine.new(simulation, tmp_path / "other")
    assert other("wait", run).status == 0
    removed = laptop("gc", "--yes", "--older-than", "0s", "--keep-last", "0")
    assert removed.status == 0, removed.err

    for machine in (laptop, other):  # that on which gc was called, and one that has to find out
        shown = machine("status", run)
        assert f"{run}  ok, removed by gc, on Fargate" in shown.out
        assert f"again cromulent rerun {run}\n" in shown.err
        assert machine("status", run, "--json").result["removed"] == "gc"
        assert [line for line in machine("ls").out.splitlines() if run in line and "removed by gc" in line]
        asked = machine("outputs", run)
        assert (asked.status, asked.out) == (2, "")
        assert f"`cromulent gc` has removed the outputs of {run}\n" in asked.err
        assert machine("wait", run).status == 0
    again = other("rerun", run)
    assert again.status == 0, again.err


def test_a_run_that_step_functions_has_forgotten_is_lost(laptop: Machine, cloud: Cloud) -> None:
    run = "20200101_120000_quick-abcdef2345"
    (bucket,) = cloud.client("s3").list_buckets()["Buckets"]
    cloud.client("s3").put_object(Bucket=bucket["Name"], Key=f"runs/{run}/request.json", Body=b"{}")
    assert laptop("wait", run).status == 2
    shown = laptop("status", run)
    assert "lost: nobody knows how it ended: it left no result, and Step Functions has forgotten it" in shown.out


def test_a_run_that_went_well_and_whose_record_was_removed_unseen_went_well(laptop: Machine, cloud: Cloud) -> None:
    laptop.write("quick.wdl", QUICK)
    (run,) = laptop("run", "quick.wdl", "--on", "aws", "--detach").out.split()
    states = cloud.client("stepfunctions")
    machines = states.list_state_machines()["stateMachines"]
    (machine,) = [each["stateMachineArn"] for each in machines if each["name"].endswith("-run")]
    until(lambda: states.describe_execution(executionArn=_execution(machine, run))["status"] == "SUCCEEDED", 60)
    removed = laptop("gc", "--yes", "--older-than", "0s", "--keep-last", "0")
    assert removed.status == 0, removed.err

    waited = laptop("wait", run)
    assert waited.status == 0, waited.err
    shown = laptop("status", run, "--json").result
    assert (shown["state"], shown["removed"]) == ("ok", "gc")


def test_a_run_whose_bucket_was_deleted_says_so(laptop: Machine) -> None:
    ended, other = (laptop("run", "quick.wdl", "--on", "aws", "--detach").out.strip() for _ in range(2))
    assert laptop("wait", ended).status == 0
    gone = laptop("down", "--yes", "--stop-runs", "--delete-data", "--confirm", "cromulent")
    assert gone.status == 0, gone.err

    assert laptop("status", ended, "--json").result["removed"] == "down"
    asked = laptop("outputs", ended)
    assert (asked.status, asked.err.splitlines()[0]) == (2, f"`cromulent down` has removed the outputs of {ended}")
    assert laptop("wait", other).status == 2
    assert "its record was deleted with the deployment's bucket" in laptop("status", other).out
