"""ECR: how one logs in to a registry of AWS's."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

__all__ = ["is_ecr", "login"]

_HOST = re.compile(r"\d{12}\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


def is_ecr(host: str) -> bool:
    """Whether a host is a private registry of ECR's."""
    return _HOST.fullmatch(host) is not None


def login(access: Access, host: str) -> tuple[str, str] | None:
    """Return a name and a password, good for twelve hours, for a private registry of ECR's; None for another host.

    Raises AwsError.
    """
    if not is_ecr(host):
        return None
    client: ECRClient = access.client("ecr")
    with asking(f"logging in to {host}"):
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    name, _, password = base64.b64decode(token).decode().partition(":")
    return name, password
