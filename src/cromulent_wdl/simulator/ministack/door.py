"""The one way to our ECS engine, for whoever asks: clients by HTTP, CloudFormation and Step Functions within."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ..ecs import AnswerLost, ApiError, Caller, EcsService, Place
from ..ecs.answers import server_error
from ..settings import ACCOUNT, REGION
from . import base
from .authorization import Judge

__all__ = ["TARGET", "Answer", "EcsDoor", "identify"]

TARGET = "AmazonEC2ContainerServiceV20141113."
"""How the `x-amz-target` of ECS's requests begins."""

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/([a-z0-9-]+)/")
_ACCOUNT = re.compile(r"\d{12}")
_encoder = msgspec.json.Encoder(enc_hook=dict)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    error: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What is said of the body; AWS's JSON protocols name the error here as well."""
        named = {"x-amzn-errortype": self.error} if self.error else {}
        return {"Content-Type": "application/x-amz-json-1.1", **named}


def identify(authorization: str) -> tuple[str, Place]:
    """Return the access key of a signed request, and the place that it speaks of."""
    found = _CREDENTIAL.search(authorization)
    key, region = found.groups() if found else ("", REGION)
    if _ACCOUNT.fullmatch(key):
        return key, Place(key, region)
    session = base.module("services.sts")._sessions.get(key)
    return key, Place(str(session["AccountId"]) if session else ACCOUNT, region)


class EcsDoor:
    """Hands requests to the engine as their caller, whose permission `judge` has looked at."""

    def __init__(self, service: EcsService, judge: Judge | None) -> None:
        self._service = service
        self._judge = judge
        self._responses = base.module("core.responses")
        self._evaluator = base.module("core.iam_evaluator")

    def answer(self, action: str, body: bytes, key: str, place: Place) -> Answer:
        """Answer a request that came by HTTP. Raises AnswerLost."""
        try:
            request = msgspec.json.decode(body or b"{}")
            if not isinstance(request, dict):
                raise ApiError("SerializationException", "")
            return Answer(200, _encoder.encode(self.call(action, request, key, place)))
        except msgspec.DecodeError:
            return _refusal(ApiError("SerializationException", ""))
        except ApiError as refused:
            return _refusal(refused)

    def delay(self, action: str) -> float:
        """Return the seconds by which the answer to a request is to be late."""
        return self._service.delay(action)

    def install(self) -> None:
        """Take the place of ministack's ECS for requests that it makes within."""
        base.module("app").SERVICE_HANDLERS["ecs"] = self._handle

    async def _handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | str, query: object
    ) -> tuple[int, dict[str, str], bytes]:
        key, _ = identify(headers.get("authorization", ""))
        place = Place(self._responses.get_account_id(), self._responses.get_region())
        action = headers.get("x-amz-target", "").removeprefix(TARGET)
        try:
            answer = self.answer(action, body.encode() if isinstance(body, str) else body, key, place)
        except AnswerLost:
            answer = _refusal(server_error())
        return answer.status, answer.headers, answer.body

    def call(self, action: str, request: Mapping[str, Any], key: str, place: Place) -> Mapping[str, Any]:
        """Carry out a request of whoever holds the key. Raises ApiError, AnswerLost."""
        with self._responses.request_scope(place.account, place.region):
            arn = (self._evaluator.resolve_caller_identity(key) or {}).get("userArn")
            caller = Caller(place, arn or f"arn:aws:iam::{place.account}:root")
            if self._judge is not None:
                self._judge.ecs(action, self._service.authorization(action, request, caller), key, place)
        return self._service.handle(action, request, caller)

    def call_within(self, action: str, request: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
        """Carry out a request of AWS's own, which nobody judges. Raises ApiError."""
        return self._service.handle(action, request, Caller(place, f"arn:aws:iam::{place.account}:root"))


def _refusal(refused: ApiError) -> Answer:
    body = {"__type": refused.code, "message": refused.message, **refused.members}
    return Answer(refused.status, _encoder.encode(body), refused.code)
