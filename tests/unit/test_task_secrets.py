"""Secrets of tasks: how they are written, and what is refused before anything is started."""

from __future__ import annotations

import re

import pytest
import WDL

from cromulent_wdl.cli.task_secrets import check_allowed, check_named
from cromulent_wdl.config.task_secrets import TaskSecret, parse_task_secrets, secrets_of_task
from cromulent_wdl.errors import SettingsError, UsageError

ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:lab/token-AbCdEf"
SOURCE = """version 1.1
task one { command <<< >>> }
task two { command <<< >>> }
task never { command <<< >>> }
workflow both {
  call one as first
  scatter (i in range(2)) { if (true) { call two } }
}
"""


def test_a_secret_is_a_variable_of_a_task_and_an_arn() -> None:
    given = [f"one.TOKEN={ARN}", f"two.TOKEN={ARN}:password::", f"one.KEY={ARN}"]
    assert parse_task_secrets(given)[1] == TaskSecret("two", "TOKEN", f"{ARN}:password::")
    assert [each.secret for each in parse_task_secrets(given)] == [ARN] * 3
    assert secrets_of_task(given, "one") == (("KEY", ARN), ("TOKEN", ARN))
    assert secrets_of_task(given, "three") == ()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (f"TOKEN={ARN}", "'TOKEN' does not name a variable of a task"),
        (f"one.2={ARN}", "'one.2' does not name"),
        (f"inner.one.TOKEN={ARN}", "'inner.one.TOKEN' does not name"),
        ("one.TOKEN", "what one.TOKEN is to hold is not an ARN"),
        ("one.TOKEN=hunter2hunter2", "what one.TOKEN is to hold is not an ARN"),
        ("one.TOKEN=arn:aws:ssm:us-east-1:111122223333:parameter/a", "what one.TOKEN is to hold is not an ARN"),
        (f"one.TOKEN={ARN}:password", "what one.TOKEN is to hold is not an ARN"),
    ],
)
def test_what_is_not_written_so_is_refused_and_never_repeated(given: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(sentence)) as refused:
        parse_task_secrets([given])
    assert refused.value.exit_status == 2
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


def test_a_variable_holds_one_secret() -> None:
    with pytest.raises(SettingsError, match=r"one\.TOKEN is given twice"):
        parse_task_secrets([f"one.TOKEN={ARN}", f"one.TOKEN={ARN}:key::"])


def test_tasks_are_named_as_the_wdl_names_them_and_are_called() -> None:
    workflow = WDL.parse_document(SOURCE)
    workflow.typecheck()
    assert workflow.workflow is not None
    check_named(parse_task_secrets([f"one.TOKEN={ARN}", f"two.TOKEN={ARN}"]), workflow.workflow)
    for name in ("first", "never"):
        with pytest.raises(UsageError, match=f"both has no task '{name}'") as refused:
            check_named(parse_task_secrets([f"{name}.TOKEN={ARN}"]), workflow.workflow)
        assert refused.value.hint == "it has one, two"


def test_a_deployment_gives_what_its_stack_names() -> None:
    secrets = parse_task_secrets([f"one.TOKEN={ARN}:password::"])
    check_allowed(secrets, "lab", {"Secrets": f"arn:aws:other, {ARN}"})
    check_allowed(secrets, "lab", {"Secrets": "arn:aws:secretsmanager:us-east-1:111122223333:secret:lab/*"})
    check_allowed(secrets, "lab", {"Secrets": "", "ExecutionRole": "arn:aws:iam::111122223333:role/theirs"})
    for parameter, before in (("", ""), (f"{ARN}2", f"--secret {ARN}2 ")):
        with pytest.raises(UsageError, match=f"deployment lab does not let tasks have {ARN}$") as refused:
            check_allowed(secrets, "lab", {"Secrets": parameter, "ExecutionRole": ""})
        assert refused.value.hint == f"cromulent up --name lab {before}--secret {ARN}"
