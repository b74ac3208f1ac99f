"""Whose credentials these are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

__all__ = ["account", "partition"]


def account(access: Access) -> str:
    """Return the id of the account that the credentials belong to; no permission is needed to ask."""
    client: STSClient = access.client("sts")
    with asking("asking whose credentials these are"):
        return client.get_caller_identity()["Account"]


def partition(region: str) -> str:
    """Return what ARNs of a region begin with after `arn:`; AWS is not asked."""
    from botocore.session import Session

    return str(Session().get_partition_for_region(region))
