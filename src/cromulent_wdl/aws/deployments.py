"""What is deployed: a stack's outputs as one value."""

from __future__ import annotations

from ..errors import DeploymentNotFound
from ..model.deployment import Deployment
from .access import Access
from .cloudformation import Stack, find_stack

__all__ = ["RUN_TAG", "TAG", "deployment_of", "find_deployed", "find_deployment"]

TAG = "cromulent:deployment"
"""The tag of everything that belongs to a deployment; its value is the deployment's name."""
RUN_TAG = "cromulent:run"
"""Beside it, on what was made for one run; its value is the run's name in ECS."""

_NOT_OUTPUTS = {"name", "region", "account"}
_OUTPUTS = {name: name.title().replace("_", "") for name in Deployment.__struct_fields__ if name not in _NOT_OUTPUTS}


def find_deployment(access: Access, name: str) -> Deployment:
    """Return the deployment of a name in the region of `access`. Raises DeploymentNotFound."""
    return find_deployed(access, name)[1]


def find_deployed(access: Access, name: str) -> tuple[Stack, Deployment]:
    """Return a deployment with its stack. Raises DeploymentNotFound."""
    stack = find_stack(access, name)
    deployment = deployment_of(stack) if stack is not None else None
    if stack is None or deployment is None:
        where = f"in {access.region}"
        if stack is None:
            hint = f"{_again('cromulent up', name)} makes it; where there is one elsewhere: --region, --profile, --name"
            raise DeploymentNotFound(f"there is no deployment '{name}' {where}", hint=hint)
        what = f"is not finished ({stack.status})" if stack.tags.get(TAG) else "is a stack of somebody else's"
        hint = _again("cromulent up", name) if stack.tags.get(TAG) else "choose another name with --name"
        raise DeploymentNotFound(f"'{name}' {where} {what}", hint=hint)
    return stack, deployment


def deployment_of(stack: Stack) -> Deployment | None:
    """Return what a stack's outputs say, or None where they are not a deployment's."""
    outputs = {field: stack.outputs.get(output, "") for field, output in _OUTPUTS.items()}
    if stack.tags.get(TAG) != stack.name or not all(outputs.values()):
        return None
    # arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID
    _, _, _, region, account, _ = stack.identity.split(":", 5)
    subnets, public = outputs.pop("subnets"), outputs.pop("assign_public_ip")
    return Deployment(
        name=stack.name,
        region=region,
        account=account,
        subnets=tuple(filter(None, subnets.split(","))),
        assign_public_ip=public == "true",
        **outputs,
    )


def _again(command: str, name: str) -> str:
    return command if name == "cromulent" else f"{command} --name {name}"
