"""Looks at the secrets that a run's tasks are to get, before anything is started: not at what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from WDL import Tree

from ..config import Settings
from ..config.task_secrets import TaskSecret, parse_task_secrets
from ..errors import UsageError
from .source import tasks_of

__all__ = ["check_allowed", "check_named", "check_secrets"]


def check_secrets(settings: Settings, target: Tree.Workflow | Tree.Task, *, on_fargate: bool) -> None:
    """Raise UsageError for a secret that would not reach its task. AWS is asked only where there are any."""
    secrets = parse_task_secrets(settings.task_secrets)
    if not secrets:
        return
    check_named(secrets, target)
    if not on_fargate:
        raise UsageError(
            "secrets reach tasks on Fargate only", hint="add --backend fargate or --on aws; --env sets variables here"
        )
    from ..aws.deployments import find_deployed
    from .deployment import access_by

    stack, deployment = find_deployed(access_by(settings), settings.deployment)
    check_allowed(secrets, deployment.name, stack.parameters)


def check_named(secrets: Iterable[TaskSecret], target: Tree.Workflow | Tree.Task) -> None:
    """Raise UsageError for a secret of a task that the target does not call."""
    names = {task.name for task in tasks_of(target)}
    for secret in secrets:
        if secret.task not in names:
            raise UsageError(
                f"{target.name} has no task '{secret.task}', which is to get a secret",
                hint=f"it has {', '.join(sorted(names))}",
            )


def check_allowed(secrets: Iterable[TaskSecret], deployment: str, parameters: Mapping[str, str]) -> None:
    """Raise UsageError for a secret that the deployment with these parameters does not let tasks have."""
    if parameters.get("ExecutionRole"):
        return  # it was made beforehand, and what it may fetch is known to ECS alone
    allowed = [each.strip() for each in parameters.get("Secrets", "").split(",") if each.strip()]
    for secret in secrets:
        # As IAM compares them, where * and ? stand for others.
        if not any(fnmatchcase(secret.secret, pattern) for pattern in allowed):
            name = [] if deployment == Settings().deployment else ["--name", deployment]
            options = [word for arn in (*allowed, secret.secret) for word in ("--secret", arn)]
            raise UsageError(
                f"deployment {deployment} does not let tasks have {secret.secret}",
                hint=" ".join(["cromulent up", *name, *options]),
            )
