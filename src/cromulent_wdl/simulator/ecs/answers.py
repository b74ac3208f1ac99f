"""Refusals in AWS's words.

Codes are the error shapes of botocore's ECS model; where the words are known from an AWS page or a public report
the call says so, and the rest is in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping

from .seam import Json

__all__ = [
    "AnswerLost",
    "ApiError",
    "client_error",
    "cluster_not_found",
    "invalid_parameter",
    "resource_not_found",
    "server_error",
    "throttled",
]


class ApiError(Exception):
    """A request is refused: the error's code, its message, the HTTP status, and members beside the message."""

    def __init__(self, code: str, message: str, status: int = 400, members: Mapping[str, Json] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members: Mapping[str, Json] = members or {}


class AnswerLost(Exception):
    """The connection is to be cut instead of an answer; the request may have been carried out."""


def client_error(message: str) -> ApiError:
    """Return a ClientException."""
    return ApiError("ClientException", message)


def invalid_parameter(message: str) -> ApiError:
    """Return an InvalidParameterException."""
    return ApiError("InvalidParameterException", message)


def cluster_not_found() -> ApiError:
    """Return what is said of a cluster that does not exist or is INACTIVE."""
    return ApiError("ClusterNotFoundException", "Cluster not found.")


def resource_not_found(message: str) -> ApiError:
    """Return a ResourceNotFoundException."""
    return ApiError("ResourceNotFoundException", message)


def throttled() -> ApiError:
    """Return what a request over the rate is told (facts: error codes)."""
    return ApiError("ThrottlingException", "Rate exceeded")


def server_error() -> ApiError:
    """Return the service's own failure."""
    return ApiError("ServerException", "Service Unavailable. Please try again later.", status=500)
