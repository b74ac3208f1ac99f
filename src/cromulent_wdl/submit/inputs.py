"""The files among a run's inputs: which are to be uploaded, and under which addresses the head finds them all.

A file is uploaded by its content, so that what is there already is not sent again, whoever sent it. What lies in S3
or on the web stays there; it is only looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from WDL import Env, Value

from ..errors import FileUnstable, InputsError
from ..storage import layout
from ..storage.bucket import input_key
from ..storage.digest_memory import DigestMemory
from ..storage.digests import Digests

__all__ = ["Bindings", "LocalFile", "Plan", "addressed", "leaves", "plan"]

Bindings = Env.Bindings[Value.Base]
Leaf = Value.File | Value.Directory

_READERS = 8
_REMOTE = ("s3://", "https://", "http://")


@dataclass(frozen=True)
class LocalFile:
    """A file to be uploaded. Without a path it is an empty object that stands for a directory."""

    key: str
    path: Path | None
    size: int


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
    digests = Digests(_memory())
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
    place = path.rstrip("/")
    if not directory:
        key = input_key(digests.of_file(place), os.path.basename(place))
        return key, [LocalFile(key, Path(place), os.stat(place).st_size)]
    key = input_key(digests.of_directory(place), os.path.basename(os.path.abspath(place)))
    return key, [_in_directory(key, place, name) for name in _walk(place)]


def _in_directory(key: str, directory: str, name: str) -> LocalFile:
    path = Path(directory, name)
    if name.endswith("/"):
        return LocalFile(f"{key}/{name}", None, 0)
    return LocalFile(f"{key}/{name}", path, path.stat().st_size)


def _walk(directory: str, prefix: str = "") -> Iterable[str]:
    """Yield the files of a tree, through links, and its empty directories with a `/` behind."""
    entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    if not entries and prefix:
        yield prefix
    for entry in entries:
        if entry.is_dir():
            if os.path.realpath(directory).startswith(os.path.realpath(entry.path) + os.sep):
                continue  # a link that leads upwards
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield prefix + entry.name


def _memory() -> DigestMemory | None:
    try:
        return DigestMemory(layout.cache_directory() / layout.DIGESTS)
    except OSError:
        return None  # no cache directory: files are read each time
