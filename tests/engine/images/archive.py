"""Pack a file system layer as an image archive, the form that `docker load` and `podman load` both take."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence

__all__ = ["add_file", "image_archive"]

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """Add a file with fixed times and owners, so that the same content always makes the same archive."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = mode
    tar.addfile(entry, io.BytesIO(content))


def image_archive(layer: bytes, tags: Sequence[str], config: Mapping[str, object] | None = None) -> bytes:
    """Return an image of one layer, with these tags and, if given, settings such as `Entrypoint`, `User` or `Env`."""
    machine = platform.machine()
    description = {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": dict(config or {}),
        "history": [{"created_by": "tests"}],  # Podman builds on no image whose history lacks a layer
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }
    image = json.dumps(description).encode()
    name = hashlib.sha256(image).hexdigest() + ".json"
    manifest = [{"Config": name, "RepoTags": list(tags), "Layers": ["layer.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add_file(tar, "layer.tar", layer)
        add_file(tar, name, image)
        add_file(tar, "manifest.json", json.dumps(manifest).encode())
    return buffer.getvalue()
