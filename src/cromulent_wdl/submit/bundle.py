"""What is to be run, as it crosses into the cloud: `bundle.json` and a zip of the WDL, under the digest of both.

The same workflow with the same inputs and options is the same bundle, whoever makes it and whenever.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from WDL import Tree, Zip

from ..aws import objects
from ..aws.access import Access
from ..errors import CromulentError
from ..storage.bucket import bundle_key, bundle_source_key

__all__ = ["Bundle", "BundleUnreadable", "read", "source_zip", "write"]

VERSION = 1


class BundleUnreadable(CromulentError):
    """There is no such bundle, or it was made by another version."""


@dataclass(frozen=True)
class Bundle:
    """What is to be run. Files among the inputs are addresses."""

    name: str
    """Of the workflow or task."""
    environment: str
    """The digest of what the head needs (environment.py)."""
    inputs: Mapping[str, Any]
    task: str = ""
    """The task to run; empty: the document's workflow."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of `cromulent run` that the head takes, by their names in `cli/options.py`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Our settings that differ from their defaults, for the head."""
    errand: str = ""
    """What a head is to do instead of running a workflow: `tidy`."""
    version: int = VERSION


def source_zip(document: Tree.Document) -> bytes:
    """Return the document with all its imports, also those by URL, as a zip that is the same each time."""
    with tempfile.TemporaryDirectory(prefix="cromulent-bundle-") as scratch:
        archive = Path(scratch, "source.zip")
        quiet = logging.getLogger("cromulent.bundle")
        quiet.setLevel(logging.ERROR)
        Zip.build(document, str(archive), quiet)
        return archive.read_bytes()


def write(access: Access, bucket: str, bundle: Bundle, source: bytes) -> str:
    """Put a bundle into the bucket unless it is there, and return its digest."""
    text = json.dumps(msgspec.to_builtins(bundle), sort_keys=True, indent=1).encode()
    digest = blake2b(text + b"\0" + source, digest_size=16).hexdigest()
    if objects.find(access, bucket, bundle_key(digest)) is None:
        objects.put(access, bucket, bundle_source_key(digest), source)
        objects.put(access, bucket, bundle_key(digest), text)  # last: with it, the bundle is there
    return digest


def read(access: Access, bucket: str, digest: str) -> tuple[Bundle, bytes]:
    """Return a bundle and its zip. Raises BundleUnreadable."""
    text = objects.get(access, bucket, bundle_key(digest))
    source = objects.get(access, bucket, bundle_source_key(digest))
    if text is None or source is None:
        raise BundleUnreadable(f"there is no bundle {digest} in s3://{bucket}")
    try:
        bundle = msgspec.json.decode(text, type=Bundle)
    except msgspec.DecodeError as error:
        raise BundleUnreadable(f"the bundle {digest} cannot be read: {error}") from error
    if bundle.version != VERSION:
        raise BundleUnreadable(f"the bundle {digest} is of version {bundle.version}, and not {VERSION}")
    return bundle, source
