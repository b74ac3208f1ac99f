"""Service Quotas, which ministack lacks: the two of Fargate, which the engine enforces where it was given one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..ecs import Place
from . import base

__all__ = ["Quotas"]

_NAME = "servicequotas"
_FARGATE = {
    "L-3032A538": "Fargate On-Demand vCPU resource count",
    "L-36FBB829": "Fargate Spot vCPU resource count",
}
_DEFAULT = 6.0
"""facts: Fargate vCPU quota."""
_PLENTY = 4000.0
"""What is said where there is no quota."""

Request = Mapping[str, Any]


class _Missing(Exception):
    """There is no such service or quota."""


class Quotas:
    """The service."""

    def __init__(self, vcpus: float | None) -> None:
        self._vcpus = _PLENTY if vcpus is None else vcpus
        self._responses = base.module("core.responses")

    def install(self) -> None:
        """Become a service of ministack's, which judges its callers."""
        base.module("core.router").SERVICE_PATTERNS[_NAME] = {"target_prefixes": ["ServiceQuotasV20190624"]}
        base.module("core.iam_actions").SERVICE_TO_IAM_NAMESPACE[_NAME] = _NAME
        base.module("app").SERVICE_HANDLERS[_NAME] = self._handle

    async def _handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: object) -> Any:
        answers: dict[str, Callable[[Request], object]] = {
            "ListServices": lambda _: {"Services": [{"ServiceCode": "fargate", "ServiceName": "AWS Fargate"}]},
            "ListServiceQuotas": lambda request: {"Quotas": self._all(request, self._vcpus)},
            "GetServiceQuota": lambda request: {"Quota": self._one(request, self._vcpus)},
            "GetAWSDefaultServiceQuota": lambda request: {"Quota": self._one(request, _DEFAULT)},
        }
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in answers:
            return self._responses.error_response_json("UnknownOperationException", "", 400)
        try:
            return self._responses.json_response(answers[action](json.loads(body or b"{}")))
        except _Missing:
            message = "The request failed because the specified service or quota does not exist."
            return self._responses.error_response_json("NoSuchResourceException", message, 400)

    def _all(self, request: Request, value: float) -> list[dict[str, Any]]:
        if request.get("ServiceCode") != "fargate":
            raise _Missing
        return [self._quota(code, value) for code in _FARGATE]

    def _one(self, request: Request, value: float) -> dict[str, Any]:
        found = [each for each in self._all(request, value) if each["QuotaCode"] == request.get("QuotaCode")]
        if not found:
            raise _Missing
        return found[0]

    def _quota(self, code: str, value: float) -> dict[str, Any]:
        place = Place(self._responses.get_account_id(), self._responses.get_region())
        return {
            "ServiceCode": "fargate",
            "ServiceName": "AWS Fargate",
            "QuotaArn": f"arn:aws:servicequotas:{place.region}:{place.account}:fargate/{code}",
            "QuotaCode": code,
            "QuotaName": _FARGATE[code],
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
