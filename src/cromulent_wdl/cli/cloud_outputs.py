"""The outputs of a run in the cloud: as addresses, or downloaded with their paths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..aws import objects
from ..aws.objects import Found
from ..aws.transfers import Transfer, download
from ..errors import AwsError, RunNotFound
from ..runs.mirror import Mirror
from .removed import refusal
from .transfers import Progress

__all__ = ["outputs_of"]


def outputs_of(mirror: Mirror, into: Path | None) -> tuple[str | None, dict[str, Any]]:
    """Return the outputs, and where their files are if they were downloaded.

    They lie in the directory as miniwdl lays out `out/`. Raises RunNotFound where the run has none.
    """
    bucket = mirror.run.bucket
    text = _text(mirror)
    if text is None and (by := mirror.removed()):
        raise refusal(mirror.directory, "outputs", by)
    if text is None:
        raise RunNotFound(f"{mirror.run.run} has no outputs", hint=f"cromulent status {mirror.run.run}")
    outputs: dict[str, Any] = json.loads(text)
    if into is None:
        return None, outputs
    directory = into.absolute()
    _download(mirror, directory)
    return str(directory), _moved(outputs, f"s3://{bucket}/{mirror.keys.files}", f"{directory}/")


def _text(mirror: Mirror) -> bytes | None:
    try:
        return objects.get(mirror.access, mirror.run.bucket, mirror.keys.outputs)
    except AwsError as error:
        if error.code != objects.NO_BUCKET:
            raise
        return None


def _download(mirror: Mirror, directory: Path) -> None:
    """Download the files that are not there in the same size, with a bar."""
    bucket, prefix = mirror.run.bucket, mirror.keys.files
    lacking: list[tuple[Found, Path]] = []
    for found in objects.listing(mirror.access, bucket, prefix):
        path = directory / found.key.removeprefix(prefix)
        if found.key.endswith("/"):  # a directory that is empty
            path.mkdir(parents=True, exist_ok=True)
        elif not path.is_file() or path.stat().st_size != found.size:
            lacking.append((found, path))
    for _, path in lacking:
        path.parent.mkdir(parents=True, exist_ok=True)
    with Progress("downloading", sum(found.size for found, _ in lacking)) as progress:
        download(mirror.access, [Transfer(path, bucket, found.key, found) for found, path in lacking], progress)


def _moved(value: Any, before: str, now: str) -> Any:
    """Return outputs with what begins with an address beginning with a path instead."""
    if isinstance(value, str):
        return now + value.removeprefix(before) if value.startswith(before) else value
    if isinstance(value, list):
        return [_moved(each, before, now) for each in value]
    if isinstance(value, dict):
        return {_moved(name, before, now): _moved(each, before, now) for name, each in value.items()}
    return value
