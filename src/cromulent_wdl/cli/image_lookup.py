"""What registries say of images, each asked once; silence is no answer, and holds up nobody."""

from __future__ import annotations

from collections.abc import Callable

from ..engine.registries import Manifest, Registry, parse_reference
from ..errors import EngineUnavailable, ImagePullFailed

__all__ = ["looking_up"]


def looking_up() -> Callable[[str], Manifest | None]:
    """Return what looks images up for the length of a plan. It raises ImageNotFound."""
    known: dict[str, Manifest | None] = {}
    silent: set[str] = set()

    def look(name: str) -> Manifest | None:
        if name not in known:
            reference = parse_reference(name)
            known[name] = None
            if reference.host not in silent:
                registry = Registry(reference.host, lambda _: None)
                try:
                    known[name] = registry.manifest(reference)
                except (EngineUnavailable, ImagePullFailed):
                    silent.add(reference.host)  # it is not there, or does not talk to us
                finally:
                    registry.close()
        return known[name]

    return look
