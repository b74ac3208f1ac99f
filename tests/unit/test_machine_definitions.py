"""Definitions of state machines that cannot be: each with what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from cromulent_wdl.provision import template
from cromulent_wdl.simulator.ministack.machine_definitions import objections

PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": True}


def machine(first: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "First", "States": {"First": first, **more}}


@pytest.mark.parametrize(
    ("definition", "wrong"),
    [
        ({}, "'States' is required"),
        ({"StartAt": "Absent", "States": {"First": PASS}}, "target: Absent at /StartAt"),
        (machine({"Type": "Dance", "End": True}), "'Type' should have"),
        (machine({"Type": "Pass"}), "[Next, End] at /States/First"),
        (machine({"Type": "Pass", "Next": "Absent"}), "target: Absent at /States/First/Next"),
        (machine({"Type": "Task", "End": True}), "'Resource' is required"),
        (
            machine({"Type": "Choice", "Choices": [{"Next": "Absent"}]}),
            "target: Absent at /States/First/Choices[0]/Next",
        ),
        (machine(PASS, Lonely=PASS), '"Lonely" is not reachable'),
        (machine({**TASK, "Catch": [{"ErrorEquals": ["a"], "Next": "Absent"}]}), "Catch[0]/Next"),
        (machine({**TASK, "Retry": [{"ErrorEquals": []}]}), "'ErrorEquals' is required"),
        (machine({**TASK, "Retry": [{"ErrorEquals": ["States.ALL", "a"]}]}), "must appear alone"),
        (machine({**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["a"]}]}), "in the last entry"),
        (
            machine({"Type": "Parallel", "End": True, "Branches": [machine({"Type": "Pass"})]}),
            "/Branches[0]/States",
        ),
        (
            machine({"Type": "Map", "End": True, "ItemProcessor": machine({"Type": "Pass"})}),
            "/ItemProcessor/States",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(definition: dict[str, Any], wrong: str) -> None:
    assert any(wrong in each for each in objections(definition)), list(objections(definition))


def test_what_is_right_is_not_objected_to() -> None:
    caught = {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Last"}]}
    assert list(objections(machine(caught, Last={"Type": "Fail", "Error": "e"}))) == []


def test_no_machine_of_the_template_goes_on_for_ever() -> None:
    resources = template.parsed()["Resources"]
    run, sweep = (resources[f"{name}Machine"]["Properties"]["Definition"] for name in ("Run", "Sweep"))
    assert 600 <= sweep["TimeoutSeconds"] <= 6 * 3600
    assert run["States"]["Head"]["TimeoutSecondsPath"] == "$.request.timeout"
    assert "TimeoutSeconds" not in run  # no Catch, and so no sweep, follows the end of a whole machine
