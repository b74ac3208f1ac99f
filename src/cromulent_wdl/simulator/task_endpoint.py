"""What a task asks of its host: who it is, and credentials of its role.

On Fargate these are addresses of the link; here they are under the admin path, by the task's unguessable id:
`tasks/ID/credentials`, `tasks/ID/ID-CONTAINER` and `tasks/ID/ID-CONTAINER/task`: as on Fargate, the end of the metadata
address begins with the task's id. AWS's clients take a full URI to loopback.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .ecs import ContainerPlan, EcsService, Launch, Place
from .ecs.view import iso
from .ministack.roles import RoleKeys
from .settings import HOST

__all__ = ["TaskEndpoint", "environment"]

KeysOf = Callable[[Place, str, str], "RoleKeys | None"]
"""Returns keys that act as a role, in a session of a name."""


class TaskEndpoint:
    """Answers what tasks ask."""

    def __init__(self, service: EcsService, keys_of: KeysOf) -> None:
        self._service = service
        self._keys_of = keys_of

    def answer(self, path: str) -> Mapping[str, Any] | None:
        """Return the document at the path below `tasks/`, or None where there is none."""
        task_id, _, rest = path.partition("/")
        if rest == "credentials":
            return self._credentials(task_id)
        container, _, what = rest.removeprefix(f"{task_id}-").partition("/")
        return self._service.metadata(task_id, container, whole_task=what == "task") if what in ("", "task") else None

    def _credentials(self, task_id: str) -> Mapping[str, Any] | None:
        found = self._service.role_of(task_id)
        keys = None if found is None else self._keys_of(*found, task_id)
        if found is None or keys is None:
            return None
        return {
            "RoleArn": found[1],
            "AccessKeyId": keys.key,
            "SecretAccessKey": keys.secret,
            "Token": keys.token,
            "Expiration": iso(keys.expiration),
        }


def environment(port: int, endpoint: str, launch: Launch, plan: ContainerPlan) -> dict[str, str]:
    """Return what Fargate sets in a container, and where AWS is: at the endpoint, or else at the simulator's own."""
    address = f"http://{HOST}:{port}"
    own = f"{address}/_simulator/tasks/{launch.task_id}"
    given = {
        "AWS_REGION": launch.place.region,
        "AWS_DEFAULT_REGION": launch.place.region,
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_ENDPOINT_URL": endpoint or address,
        "ECS_CONTAINER_METADATA_URI_V4": f"{own}/{launch.task_id}-{plan.name}",
    }
    return {**given, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{own}/credentials"} if launch.task_role_arn else given
