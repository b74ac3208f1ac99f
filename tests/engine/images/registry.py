"""Debian's `docker-registry`, on loopback for as long as a test wants it, and images in it.

It listens where the tests' own stand-in does (tests/fakes/registry.py), which engines are told to trust.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from cromulent_wdl.clock import SYSTEM
from tests.fakes.registry import MANIFEST, PORT, packed
from tests.programs import running

__all__ = ["push", "serving_debians"]

_ADDRESS = f"http://127.0.0.1:{PORT}/v2"
_PATIENCE = 30.0
_CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {directory}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextmanager
def serving_debians(directory: Path) -> Iterator[None]:
    """Serve until the end of the block what is in the directory."""
    configuration = directory / "registry.yml"
    configuration.write_text(_CONFIGURATION.format(directory=directory / "registry", port=PORT))
    with running(["docker-registry", "serve", str(configuration)], stderr=subprocess.DEVNULL) as process:
        try:
            _await(process)
            yield
        finally:
            process.terminate()


def push(name: str, tag: str, layer: bytes, architecture: str) -> str:
    """Put an image of one layer into the registry, and return the digest that it gives it."""
    manifest, blobs = packed(layer, architecture)
    for digest, blob in blobs.items():
        begun = requests.post(f"{_ADDRESS}/{name}/blobs/uploads/", timeout=_PATIENCE)
        begun.raise_for_status()
        location = begun.headers["Location"]
        put = requests.put(location, data=blob, params={"digest": digest}, timeout=_PATIENCE)
        put.raise_for_status()
    headers = {"Content-Type": MANIFEST}
    kept = requests.put(f"{_ADDRESS}/{name}/manifests/{tag}", data=manifest, headers=headers, timeout=_PATIENCE)
    kept.raise_for_status()
    return kept.headers["Docker-Content-Digest"]


def _await(process: subprocess.Popen[bytes]) -> None:
    deadline = SYSTEM.monotonic() + _PATIENCE
    while process.poll() is None and SYSTEM.monotonic() < deadline:
        try:
            if requests.get(f"{_ADDRESS}/", timeout=_PATIENCE).ok:
                return
        except requests.ConnectionError:
            SYSTEM.sleep(0.05)
    raise AssertionError("docker-registry does not answer")
