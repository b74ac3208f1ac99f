"""Secrets of tasks as the settings have them: each TASK.NAME=ARN. The values are for ECS alone to fetch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import SettingsError

__all__ = ["TaskSecret", "parse_task_secrets", "secrets_of_task"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARN = re.compile(r"arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+(:[^:]*:[^:]*:[^:]*)?", re.ASCII)
"""Behind the secret's own ARN may follow a key of its JSON, a stage and a version (ECS page "valueFrom")."""
_PARTS_OF_ARN = 7
_FORM = "write it like align.TOKEN=arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME"


class TaskSecret(NamedTuple):
    """A variable of a task, and the secret that it is to hold."""

    task: str
    """The name that the WDL gives the task, wherever it is called."""
    variable: str
    arn: str
    """May name a part of the secret."""

    @property
    def secret(self) -> str:
        """The ARN of the secret as a whole."""
        return ":".join(self.arn.split(":")[:_PARTS_OF_ARN])


def parse_task_secrets(given: Iterable[str]) -> tuple[TaskSecret, ...]:
    """Take the setting `task_secrets` apart. Raises SettingsError."""
    found: dict[tuple[str, str], TaskSecret] = {}
    for text in given:
        name, _, arn = text.partition("=")
        task, _, variable = name.partition(".")
        if not task or not _VARIABLE.fullmatch(variable):
            raise SettingsError(f"'{name}' does not name a variable of a task", hint=_FORM)
        if not _ARN.fullmatch(arn):
            # What stands there may be the secret itself, by mistake: it is not repeated.
            raise SettingsError(f"what {name} is to hold is not an ARN of Secrets Manager", hint=_FORM)
        if (task, variable) in found:
            raise SettingsError(f"{name} is given twice", hint="a variable holds one secret")
        found[task, variable] = TaskSecret(task, variable, arn)
    return tuple(found.values())


def secrets_of_task(given: Iterable[str], task: str) -> tuple[tuple[str, str], ...]:
    """Return the variables of a task, each with the ARN of its secret, in order. Raises SettingsError."""
    return tuple(sorted((each.variable, each.arn) for each in parse_task_secrets(given) if each.task == task))
