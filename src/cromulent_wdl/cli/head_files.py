"""The files of a head's run: inputs onto the shared disk before it, outputs and logs into the bucket after it."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from WDL import Env, Value

from ..aws import objects
from ..aws.access import Access
from ..aws.transfers import Transfer, upload
from ..storage import layout
from ..storage.bucket import RunKeys
from ..storage.downloads import Wanted, fetch, is_s3
from ..storage.web import fetch_all, is_web
from ..submit.inputs import Bindings, Leaf, leaves
from .head_names import Names

__all__ = ["address_outputs", "clear_ends", "fetch_inputs", "keep_logs"]

_KEPT_BYTES = 1 << 20
"""Of the end of each text: enough to see why, and 10,000 calls still make a file that a laptop takes."""
_NOT_TEXTS = ("work", "out", "write_", "download")
"""What the directories of a run that hold its data begin with."""


def clear_ends(directory: Path) -> None:
    """Remove the links that an earlier head made to the outputs of workflows that had ended; they are made anew.

    Tasks that still run do not go by them: their inputs are reached by real paths.
    """
    if (directory / layout.RUN_LOG).is_file():
        shutil.rmtree(directory / "out", ignore_errors=True)
        for entry in os.scandir(directory):
            if entry.name.startswith("call-") and entry.is_dir():
                clear_ends(Path(entry.path))


def fetch_inputs(access: Access, inputs: Bindings, root: Path, names: Names, stopping: Callable[[], bool]) -> Bindings:
    """Return the inputs with what lies in S3 and on the web on the shared disk, fetched side by side.

    `names` learns of them. Raises FetchFailed, and InterruptedError once it is to stop.
    """
    wanted = [Wanted(leaf.value, isinstance(leaf, Value.Directory)) for leaf in leaves(inputs) if is_s3(leaf.value)]
    on_web = [leaf.value for leaf in leaves(inputs) if is_web(leaf.value) and isinstance(leaf, Value.File)]
    with ThreadPoolExecutor(1) as pool:
        from_web = pool.submit(fetch_all, on_web, root, stopping)
        places = {**fetch(access, wanted, root, stopping), **from_web.result()}
    names.learn(places)

    def place(leaf: Leaf) -> str:
        path = places.get(leaf.value)
        return leaf.value if path is None else str(path)

    return Value.rewrite_env_paths(inputs, place)


def address_outputs(
    access: Access, bucket: str, keys: RunKeys, directory: Path, outputs: Env.Bindings[Value.Base]
) -> Env.Bindings[Value.Base]:
    """Upload the output files as miniwdl lays them out, and return the outputs with their addresses."""
    out = f"{directory}/out/"
    transfers: list[Transfer] = []

    def address(leaf: Leaf) -> str:
        path = leaf.value.rstrip("/")
        if not path.startswith(out):
            return str(leaf.value)
        key = keys.files + path.removeprefix(out)
        if isinstance(leaf, Value.Directory):
            transfers.extend(_in_directory(Path(path), bucket, key))
        else:
            transfers.append(Transfer(Path(path), bucket, key))
        return f"s3://{bucket}/{key}"

    addressed = Value.rewrite_env_paths(outputs, address)
    upload(access, transfers)
    return addressed


def _in_directory(directory: Path, bucket: str, key: str) -> Iterator[Transfer]:
    """Yield the files of a directory, and what stands for the directories in it that are empty."""
    for place, folders, names in os.walk(directory, followlinks=True):
        here = f"{key}/{os.path.relpath(place, directory)}/".replace("/./", "/")
        if not folders and not names:
            yield Transfer(None, bucket, here)
        yield from (Transfer(Path(place, name), bucket, here + name) for name in names)


def keep_logs(access: Access, bucket: str, keys: RunKeys, directory: Path, names: Names) -> None:
    """Put the run directory's texts into the bucket, of each the end; what is JSON with the names that people know."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in _texts(directory):
                content = _end(path)
                if path.suffix == ".json":
                    content = names.known(content.decode(errors="surrogateescape")).encode(errors="surrogateescape")
                archive.writestr(str(path.relative_to(directory)), content)
        file.seek(0)
        objects.put(access, bucket, keys.logs, file.read())


def _texts(directory: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith((*_NOT_TEXTS, ".")))
        for name in sorted(names):
            path = Path(place, name)
            if path.suffix in (".txt", ".log", ".json", ".jsonl", ".wdl") and not path.is_symlink():
                yield path


def _end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _KEPT_BYTES))
        return file.read()
