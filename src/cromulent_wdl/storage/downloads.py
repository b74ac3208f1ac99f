"""Inputs from S3 on the shared disk: each content once, for all runs of a deployment.

An object is told by its address and ETag, one that we uploaded by its content. It is fetched to a name of its own
and moved to its place when it is whole, so heads that want the same do each other no harm.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..aws import objects
from ..aws.access import Access
from ..aws.objects import Found
from ..aws.transfers import Transfer, download
from ..errors import AwsDenied, AwsError, CredentialsError, FetchFailed
from .bucket import INPUTS
from .downloaded import is_there, parts_directory, settle, state_name

__all__ = ["Wanted", "fetch", "is_s3"]


@dataclass(frozen=True)
class Wanted:
    """An `s3://` address, of an object or of a directory: of all objects whose keys begin with it and a `/`."""

    address: str
    directory: bool = False


def is_s3(address: str) -> bool:
    """Whether an address is S3's."""
    return address.startswith("s3://")


def fetch(
    access: Access, wanted: Iterable[Wanted], root: Path, stopping: Callable[[], bool] | None = None
) -> dict[str, Path]:
    """Return where each lies under `root` by its address, having downloaded what was not there, all side by side.

    What we may not read, or have no credentials for, is asked for as anybody might. Raises FetchFailed for what is
    not there, or may not be read, and InterruptedError once it is to stop.
    """
    places: dict[str, Path] = {}
    moves: list[tuple[Path, Path]] = []
    ways = (access, access.anonymous())
    transfers: dict[Access, list[Transfer]] = {way: [] for way in ways}
    for each in dict.fromkeys(wanted):
        bucket, key = objects.split(each.address.rstrip("/"))
        way, found = _look(ways, each, bucket, key)
        target = root / _name(bucket, found) / (os.path.basename(key) or bucket)
        places[each.address] = target
        if not is_there(target):
            part = parts_directory(root) / target.name
            transfers[way] += _transfers(each, bucket, key, found, part)
            moves.append((part, target))
    try:
        for way in ways:
            download(way, transfers[way], _heeding(stopping) if stopping is not None else None)
        for part, target in moves:
            settle(part, target)
    except AwsError as error:
        raise FetchFailed(f"an input cannot be downloaded: {error}", hint=error.hint) from error
    finally:
        for part, _ in moves:
            shutil.rmtree(part.parent, ignore_errors=True)
    return places


def _heeding(stopping: Callable[[], bool]) -> Callable[[int], None]:
    """Return what hears of bytes that have come, and ends the transfer once it is to stop."""

    def hear(count: int) -> None:
        if stopping():
            raise InterruptedError("it was told to stop")

    return hear


def _look(ways: Sequence[Access], wanted: Wanted, bucket: str, key: str) -> tuple[Access, Sequence[Found]]:
    """Return what is there, and the way by which it was found: the first that leads to anything."""
    first, *others = ways
    try:
        return first, _found(first, wanted, bucket, key)
    except (AwsDenied, CredentialsError) as error:
        for way in others:
            with suppress(AwsError, CredentialsError):
                return way, _found(way, wanted, bucket, key)
        if isinstance(error, CredentialsError):
            raise
        raise FetchFailed(f"{wanted.address} cannot be read: {error}", hint=error.hint) from error
    except AwsError as error:
        raise FetchFailed(f"{wanted.address} cannot be read: {error}", hint=error.hint) from error


def _found(access: Access, wanted: Wanted, bucket: str, key: str) -> Sequence[Found]:
    """Return what is there, which is something. Raises FetchFailed where there is nothing."""
    if wanted.directory:
        found = list(objects.listing(access, bucket, f"{key}/" if key else ""))
    else:
        one = objects.find(access, bucket, key)
        found = [one] if one is not None else []
    if not found:
        raise FetchFailed(f"there is nothing at {wanted.address}")
    return found


def _name(bucket: str, found: Sequence[Found]) -> str:
    """Return the name of what was found: by its content where the key has that, else by addresses and ETags."""
    own = {each.key.removeprefix(INPUTS).partition("/")[0] for each in found}
    if len(own) == 1 and all(each.key.startswith(INPUTS) for each in found):
        return own.pop()
    return state_name(f"{bucket}/{each.key} {each.etag} {each.size}" for each in found)


def _transfers(wanted: Wanted, bucket: str, key: str, found: Sequence[Found], part: Path) -> list[Transfer]:
    """Return what is to be downloaded to `part`, whose directories are made."""
    part.parent.mkdir(parents=True)
    if not wanted.directory:
        return [Transfer(part, bucket, key, found[0])]
    part.mkdir()
    transfers = []
    for each in found:
        name = each.key[len(key) + 1 if key else 0 :]
        path = part / name
        if ".." in Path(name).parts:
            raise FetchFailed(f"{wanted.address} has a key that leads out of it: {each.key}")
        if name.endswith("/") or not name:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        transfers.append(Transfer(path, bucket, each.key, each))
    return transfers
