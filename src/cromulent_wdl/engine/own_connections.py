"""How requests reach an engine's socket: each by a connection of its own.

The `docker` library's own adapter has a pool of connections for each URL, and keeps 25 of them. With more, it closes
the one that was asked for least lately, although another thread may be about to use it, whose request then fails.
"""

from __future__ import annotations

from collections.abc import Mapping

from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnectionPool

__all__ = ["OwnConnections"]


class OwnConnections(UnixHTTPAdapter):
    """Gives every request a pool of its own, which goes with its answer: URLs hardly ever come a second time."""

    def get_connection(self, url: str | bytes, proxies: Mapping[str, str] | None = None) -> UnixHTTPConnectionPool:
        """Return a pool that nobody else has."""
        return UnixHTTPConnectionPool(str(url), self.socket_path, self.timeout, maxsize=1)
