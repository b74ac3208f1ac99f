"""Which buckets a deployment's heads may read."""

from __future__ import annotations

from ..aws.access import Access
from ..aws.cloudformation import find_stack
from ..model.deployment import Deployment

__all__ = ["readable_buckets"]


def readable_buckets(access: Access, deployment: Deployment) -> frozenset[str] | None:
    """Return the names of the buckets beside the deployment's own; None where its roles are somebody else's."""
    stack = find_stack(access, deployment.name)
    if stack is None or stack.parameters.get("HeadRole"):
        return None
    arns = filter(None, stack.parameters.get("ReadBuckets", "").split(","))
    return frozenset(arn.partition(":::")[2] for arn in arns if not arn.endswith("/*"))
