"""Pages of a listing. A token says where the next page begins, so that pages stay true while the list grows."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from .answers import invalid_parameter

__all__ = ["most_results", "start_of_page", "token_after"]

_MOST = 100


def most_results(request: Mapping[str, Any]) -> int:
    """Return how many results fit a page: 1 to 100 (botocore, ListTasks.maxResults)."""
    most = request.get("maxResults")
    if most is None:
        return _MOST
    if not 1 <= most <= _MOST:
        raise invalid_parameter(f"maxResults must be between 1 and {_MOST}.")
    return int(most)


def token_after(position: int) -> str:
    """Return the opaque token of the page that begins at a position."""
    return base64.urlsafe_b64encode(f"page:{position}".encode()).decode()


def start_of_page(request: Mapping[str, Any]) -> int:
    """Return the position at which the wanted page begins."""
    token = request.get("nextToken")
    if not token:
        return 0
    try:
        kind, _, position = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if kind == "page":
            return int(position)
    except (ValueError, binascii.Error):
        pass  # refused below, like any other token that is not ours
    raise invalid_parameter("Invalid token.")
