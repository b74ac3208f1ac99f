"""The files among a run's inputs: which are to be uploaded, and under which addresses the head finds them all.

A file is uploaded by its content, so that what is there already is not sent again, whoever sent it. What lies in S3
or on the web stays there; it is only looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from WDL import Env, Value

from ..errors import FileUnstable, InputsError
from ..model.file_state import FileState
from ..storage.bucket import input_key
from ..storage.digest_memory import users_memory
from ..storage.digests import Digests

__all__ = ["Bindings", "LocalFile", "Plan", "addressed", "leaves", "plan"]

Bindings = Env.Bindings[Value.Base]
Leaf = Value.File | Value.Directory

_READERS = 8
_LONGEST_KEY = 1024
"""Bytes of an object's name."""
_REMOTE = ("s3://", "https://", "http://")


@dataclass(frozen=True)
class LocalFile:
    """A file to be uploaded. Without a path it is an empty object that stands for a directory."""

    key: str
    path: Path | None
    state: FileState | None
    """In which it has the content that its key speaks of."""

    @property
    def size(self) -> int:
        """Return its bytes."""
        return self.state.size if self.state else 0


@dataclass(frozen=True)
class Plan:
    """What becomes of the files among the inputs."""

    uploads: Mapping[str, LocalFile]
    """By key; each content once."""
    keys: Mapping[str, str]
    """The key of each local path, as the inputs have it; of a directory, what its files' keys begin with."""
    remote: tuple[tuple[str, bool], ...]
    """Addresses that stay, and whether each is a directory's."""

    @property
    def bytes(self) -> int:
        """How much there is to upload if none of it is there."""
        return sum(each.size for each in self.uploads.values())


def leaves(inputs: Bindings) -> Iterator[Leaf]:
    """Yield every File and Directory among the inputs, however deep."""
    for binding in inputs:
        yield from _within(binding.value)


def _within(value: Value.Base) -> Iterator[Leaf]:
    if isinstance(value, (Value.File, Value.Directory)):
        yield value
    for child in value.children:
        yield from _within(child)


def plan(inputs: Bindings) -> Plan:
    """Read the local files and say what is to be uploaded. Raises InputsError for what is not there."""
    found = {(leaf.value, isinstance(leaf, Value.Directory)) for leaf in leaves(inputs)}
    remote = sorted(each for each in found if each[0].startswith(_REMOTE))
    local = sorted(found - set(remote))
    for path, directory in local:
        _check(path, directory)
    digests = Digests(users_memory())
    try:
        with ThreadPoolExecutor(_READERS) as pool:
            uploads = list(pool.map(lambda each: _uploads(digests, *each), local))
    except (OSError, FileUnstable) as error:
        raise InputsError(f"an input cannot be read: {error}") from error
    finally:
        digests.close()
    return Plan(
        {file.key: file for key, files in uploads for file in files},
        {path: key for (path, _), (key, _) in zip(local, uploads, strict=True)},
        tuple(remote),
    )


def addressed(inputs: Bindings, keys: Mapping[str, str], bucket: str) -> Bindings:
    """Return the inputs with the addresses of uploaded files in the place of their paths."""

    def address(leaf: Leaf) -> str:
        key = keys.get(leaf.value)
        return leaf.value if key is None else f"s3://{bucket}/{key}"

    return Value.rewrite_env_paths(inputs, address)


def _check(path: str, directory: bool) -> None:
    kind, other = ("directory", "file") if directory else ("file", "directory")
    if not os.path.exists(path):
        raise InputsError(f"there is no input {kind} {path}")
    if os.path.isdir(path) != directory:
        raise InputsError(f"the input {path} is a {other}, not a {kind}")


def _uploads(digests: Digests, path: str, directory: bool) -> tuple[str, Sequence[LocalFile]]:
    """Return the key of a file or directory, and what is to be uploaded for it."""
    place = path.rstrip("/") or "/"
    name = os.path.basename(os.path.abspath(place))
    if not directory:
        digest, state = digests.file(place)
        key = input_key(digest, name)
        return key, [_upload(key, Path(place), state)]
    digest, held = digests.directory(place)
    key = input_key(digest, name)
    full = {os.path.dirname(each.name) for each in held}
    files = [_upload(f"{key}/{each.name}", Path(place, each.name), each.state) for each in held if each.state]
    empty = [each.name for each in held if each.state is None and each.name not in full]
    files += [_upload(f"{key}/{name}/", None, None) for name in empty]
    return key, files or [_upload(f"{key}/", None, None)]


def _upload(key: str, path: Path | None, state: FileState | None) -> LocalFile:
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise InputsError(f"the name of {str(path)!a} is not UTF-8, as names in S3 are", hint="rename it") from error
    if size > _LONGEST_KEY:
        raise InputsError(f"the path {path} is too long for S3, whose names have 1,024 bytes: {key}")
    return LocalFile(key, path, state)
