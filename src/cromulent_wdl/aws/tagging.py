"""Tags: what in an account and region carries one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient

__all__ = ["tagged", "values"]


def tagged(access: Access, key: str, value: str, *, kinds: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the ARNs of what carries a tag, of these kinds (as `s3`, `elasticfilesystem:file-system`) or of all.

    The index lags behind: what was just made may be missing, what was just deleted may still be there.
    """
    client: ResourceGroupsTaggingAPIClient = access.client("resourcegroupstaggingapi")
    found: list[str] = []
    with asking(f"looking for what is tagged {key}={value}"):
        for page in client.get_paginator("get_resources").paginate(
            TagFilters=[{"Key": key, "Values": [value]}], ResourceTypeFilters=list(kinds)
        ):
            found += [each["ResourceARN"] for each in page["ResourceTagMappingList"]]
    return tuple(sorted(found))


def values(access: Access, key: str, *, kinds: Sequence[str]) -> dict[str, str]:
    """Return the tag's value by the ARN of what carries it, of these kinds. The index lags behind."""
    client: ResourceGroupsTaggingAPIClient = access.client("resourcegroupstaggingapi")
    found: dict[str, str] = {}
    with asking(f"looking for what is tagged {key}"):
        for page in client.get_paginator("get_resources").paginate(
            TagFilters=[{"Key": key}], ResourceTypeFilters=list(kinds)
        ):
            for each in page["ResourceTagMappingList"]:
                found[each["ResourceARN"]] = next(tag["Value"] for tag in each["Tags"] if tag["Key"] == key)
    return found
