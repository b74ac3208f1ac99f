"""Judges a call cache entry: what it depends on beside its key must be as it was when the entry was made."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from ..storage.digests import Digests, fingerprint
from .cache_entry import Entry
from .cache_key import InputPath
from .cache_place import Image, ImageResolver

__all__ = ["Judge", "content", "input_path"]

Fetched = Callable[[str, bool], "str | None"]
"""Returns where the download of a URI (of a directory?) lies on this machine, or None."""


def content(digests: Digests, place: InputPath) -> str:
    """Return the digest of what lies at a place. Raises OSError and FileUnstable."""
    return digests.of_directory(place.path) if place.directory else digests.of_file(place.path)


def input_path(path: str) -> InputPath:
    """Return the place of a path in miniwdl's writing, in which directories end in '/'."""
    return InputPath(path.rstrip("/"), path.endswith("/"))


class Judge(msgspec.Struct, frozen=True):
    """Knows how to look at the world as it is now."""

    digests: Digests
    resolve: ImageResolver | None
    fetched: Fetched

    def objection(self, entry: Entry) -> str | None:
        """Return in words why the entry's result cannot be used again, or None. Raises OSError and FileUnstable."""
        return (
            self._image(Image(entry.image, entry.image_digest))
            or self._outputs(entry)
            or self._surroundings(entry)
            or self._downloads(entry)
        )

    def _image(self, image: Image) -> str | None:
        if self.resolve is None or "@sha256:" in image.reference:
            return None
        digest = self.resolve(image.reference)
        if digest is None:
            return f"the digest of its image {image.reference} is not known here"
        if digest != image.digest:
            return f"its image {image.reference} has changed"
        return None

    def _outputs(self, entry: Entry) -> str | None:
        for path, seen in entry.files.items():
            try:
                now = fingerprint(path)
            except FileNotFoundError:
                return f"its output {path} is gone"
            if now != seen:
                return f"its output {path} has changed"
        return None

    def _surroundings(self, entry: Entry) -> str | None:
        for path in entry.absent:
            if os.path.exists(path.rstrip("/")):
                return f"there was no {path} then"
        for path, digest in entry.present.items():
            place = input_path(path)
            if not os.path.exists(place.path):
                return f"{path} is gone"
            if content(self.digests, place) != digest:
                return f"{path} has changed"
        return None

    def _downloads(self, entry: Entry) -> str | None:
        for uri, digest in entry.fetched.items():
            remote = input_path(uri)
            local = self.fetched(*remote)
            if local is None:
                return f"{uri} is not downloaded yet"
            if content(self.digests, InputPath(local, remote.directory)) != digest:
                return f"{uri} has changed"
        return None
