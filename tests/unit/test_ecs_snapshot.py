"""An engine that begins with what another one held."""

from __future__ import annotations

from cromulent_wdl.simulator.planes.play_script import PlayRule, PlayScript
from tests.fakes.ecs_world import Stage, definition

LONG = PlayScript(rules=(PlayRule(family="long", seconds=(600, 600)),))


def test_what_had_ended_is_as_it_was() -> None:
    stage = Stage()
    (task,) = stage.run(startedBy="r-1", tags=[{"key": "k", "value": "v"}])
    stage.pass_time(5)
    before = stage.task(task["taskArn"])
    cluster = stage.ask("DescribeClusters", clusters=["runs"])
    stage.restart()

    assert stage.task(task["taskArn"]) == before
    assert stage.ask("DescribeClusters", clusters=["runs"]) == cluster
    listed = stage.ask("ListTasks", cluster="runs", desiredStatus="STOPPED")["taskArns"]
    assert listed == [task["taskArn"]]


def test_what_had_not_is_lost_and_says_so() -> None:
    stage = Stage(script=LONG)
    stage.ask("RegisterTaskDefinition", **definition(family="long"))
    (task,) = stage.run(taskDefinition="long")
    stage.pass_time(1)
    stage.restart()
    stage.pass_time(1)
    lost = stage.task(task["taskArn"])

    assert (lost["lastStatus"], lost["stopCode"]) == ("STOPPED", "InfrastructureHealth")
    assert lost["stoppedReason"] == "The simulator was restarted while the task ran."
    assert "exitCode" not in lost["containers"][0]
    assert stage.world.events()[-1]["lastStatus"] == "STOPPED"


def test_definitions_go_on_counting() -> None:
    stage = Stage()
    stage.ask("DeregisterTaskDefinition", taskDefinition="job:1")
    stage.ask("DeleteTaskDefinitions", taskDefinitions=["job:1"])
    stage.ask("DescribeClusters", clusters=["runs"])
    stage.restart()
    made = stage.ask("RegisterTaskDefinition", **definition())["taskDefinition"]

    assert made["revision"] == 2
    assert stage.ask("ListTaskDefinitions")["taskDefinitionArns"] == [made["taskDefinitionArn"]]


def test_a_task_outlives_its_definition() -> None:
    stage = Stage()
    (task,) = stage.run()
    stage.pass_time(5)
    stage.ask("DeregisterTaskDefinition", taskDefinition="job:1")
    stage.ask("DeleteTaskDefinitions", taskDefinitions=["job:1"])
    stage.ask("ListTaskDefinitions")  # which drops it
    stage.restart()

    assert stage.task(task["taskArn"])["taskDefinitionArn"].endswith("/job:1")
