"""Service Quotas: how many Fargate vCPUs the account may run in a region at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import AwsError
from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_service_quotas import ServiceQuotasClient

__all__ = ["ON_DEMAND", "SPOT", "Quotas", "fargate", "request_link"]

ON_DEMAND = "L-3032A538"
SPOT = "L-36FBB829"
"""Codes of "Fargate On-Demand vCPU resource count" and "Fargate Spot vCPU resource count" (ListServiceQuotas)."""

_SERVICE = "fargate"


@dataclass(frozen=True)
class Quotas:
    """vCPUs that all clusters of the account in the region may run together."""

    on_demand: float
    spot: float


def fargate(access: Access) -> Quotas:
    """Return the account's quotas in the region of `access`."""
    with asking("reading Fargate's quotas"):
        client: ServiceQuotasClient = access.client("service-quotas")
    return Quotas(_value(client, ON_DEMAND), _value(client, SPOT))


def request_link(region: str, code: str) -> str:
    """Return where a greater quota is asked for."""
    return f"https://{region}.console.aws.amazon.com/servicequotas/home/services/fargate/quotas/{code}"


def _value(client: ServiceQuotasClient, code: str) -> float:
    try:
        with asking("reading Fargate's quotas"):
            return client.get_service_quota(ServiceCode=_SERVICE, QuotaCode=code)["Quota"]["Value"]
    except AwsError as error:
        if error.code != "NoSuchResourceException":
            raise
    with asking("reading Fargate's default quotas"):  # an account that never ran anything has no value of its own
        return client.get_aws_default_service_quota(ServiceCode=_SERVICE, QuotaCode=code)["Quota"]["Value"]
