"""Whose credentials these are, who asks by them, and what time it is at AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ..errors import NoCredentials
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

__all__ = ["Caller", "account", "caller", "partition", "principal_of", "time_in_refusal"]

_ASSUMED = ":assumed-role/"


@dataclass(frozen=True)
class Caller:
    """Who the credentials belong to."""

    account: str
    arn: str
    time: float | None
    """Seconds since the epoch by AWS's clock when it answered."""


def account(access: Access) -> str:
    """Return the id of the account that the credentials belong to; no permission is needed to ask."""
    return caller(access).account


def partition(region: str) -> str:
    """Return what ARNs of a region begin with after `arn:`; AWS is not asked. Raises NoCredentials for no region."""
    from botocore.exceptions import UnknownRegionError
    from botocore.session import Session

    try:
        return str(Session().get_partition_for_region(region))
    except UnknownRegionError as error:
        raise NoCredentials(f"There is no AWS region '{region}'.", hint="regions are named like us-east-1") from error


def caller(access: Access) -> Caller:
    """Return who asks. Every caller may ask that. Raises CredentialsError where the credentials are not accepted."""
    with asking("asking who we are"):
        client: STSClient = access.client("sts")
        answer: Any = client.get_caller_identity()
    return Caller(answer["Account"], answer["Arn"], _time(answer))


def time_in_refusal(error: BaseException) -> float | None:
    """Return AWS's time as it stands in a refusal that `asking` turned into one of our errors."""
    response = getattr(error.__cause__, "response", None)
    return _time(response) if isinstance(response, dict) else None


def principal_of(access: Access, arn: str) -> str:
    """Return the user or role behind a caller's ARN: a session's ARN lacks the path of its role."""
    if _ASSUMED not in arn:
        return arn
    name = arn.partition(_ASSUMED)[2].partition("/")[0]
    with asking(f"looking at role {name}"):
        client: IAMClient = access.client("iam")
        return client.get_role(RoleName=name)["Role"]["Arn"]


def _time(response: Mapping[str, Any]) -> float | None:
    """Return the time in an answer's Date header."""
    date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
