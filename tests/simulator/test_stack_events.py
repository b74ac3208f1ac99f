"""What a stack tells of an update, before and while it goes on."""

from __future__ import annotations

import json
from typing import Any

from .cloud import Cloud


def queues(*names: str, **properties: Any) -> str:
    """Return a template of queues, the first of which has properties."""
    made = {name: {"Type": "AWS::SQS::Queue"} for name in names}
    return json.dumps({"Resources": {**made, names[0]: {"Type": "AWS::SQS::Queue", "Properties": properties}}})


def told_of_update(cloud: Cloud) -> list[tuple[str, str]]:
    """Update a stack that has two queues, and return its events since."""
    formation = cloud.client("cloudformation")
    cloud.create_stack("told", queues("Changed", "Same", "Gone"))
    before = len(formation.describe_stack_events(StackName="told")["StackEvents"])
    cloud.update_stack("told", queues("Changed", "Same", "New", DelaySeconds=1))
    events = formation.describe_stack_events(StackName="told")["StackEvents"][:-before]
    told = [(each["LogicalResourceId"], each["ResourceStatus"]) for each in events[::-1]]
    return [each for each in told if each[0] != "told"]


def test_its_updates_tell_of_what_they_do_not_touch_and_not_of_what_they_remove(stock: Cloud) -> None:
    """ministack/stack_events.py."""
    told = told_of_update(stock)

    assert ("Same", "UPDATE_COMPLETE") in told and ("New", "UPDATE_COMPLETE") in told
    assert "Gone" not in dict(told)


def test_an_update_tells_of_what_it_does(cloud: Cloud) -> None:
    verbs = {"Changed": "UPDATE", "New": "CREATE", "Gone": "DELETE"}

    assert told_of_update(cloud) == [
        (name, f"{verb}_{state}") for name, verb in verbs.items() for state in ("IN_PROGRESS", "COMPLETE")
    ]


def test_its_change_sets_have_a_log_group_replaced_for_its_retention(stock: Cloud) -> None:
    """ministack/change_sets.py."""
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}}
    stock.create_stack("kept-longer", json.dumps({"Resources": {"Logs": group}}))
    formation, longer = stock.client("cloudformation"), {**group, "Properties": {"RetentionInDays": 14}}
    made = formation.create_change_set(
        StackName="kept-longer", ChangeSetName="longer", TemplateBody=json.dumps({"Resources": {"Logs": longer}})
    )
    (change,) = formation.describe_change_set(ChangeSetName=made["Id"])["Changes"]

    assert change["ResourceChange"]["Replacement"] == "Conditional"
