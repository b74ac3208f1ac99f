"""Inputs from the web on the shared disk: each state of a file once, for all runs of a deployment.

A file is told by its address and by what its server calls its state (ETag, Last-Modified, length), as it stands in the
very answer that the file came with. A server that calls it nothing is asked anew by each run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import requests

from .downloaded import is_there, nameless, parts_directory, settle, state_name
from .web_fetch import fetch, session, stamp_of

__all__ = ["fetch_all", "fetch_once", "file_name", "is_web"]

_AT_ONCE = 16
_SECONDS = 30.0
"""No setting: a server that says nothing for so long is asked again for the file itself, by `web_fetch.py`."""
_LONGEST_NAME = 200
"""Bytes; file systems have 255, and the file is first written under a longer name."""


def is_web(address: str) -> bool:
    """Whether an address is the web's."""
    return address.startswith(("http://", "https://"))


def fetch_all(addresses: Iterable[str], root: Path, stopping: Callable[[], bool] = lambda: False) -> dict[str, Path]:
    """Return where the file of each address lies under `root`, having downloaded what was not there, side by side.

    Raises FetchFailed. Once it is to stop, what has not come whole is not there.
    """
    wanted = sorted(set(addresses))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(lambda each: fetch_once(each, root, stopping), wanted), strict=True))


def fetch_once(address: str, root: Path, cancelled: Callable[[], bool]) -> Path:
    """Return where the file of an address lies under `root`, having downloaded it where this state was not there."""
    name = file_name(address)
    if (stamp := _stamp(address)) and is_there(there := _place(root, address, stamp) / name):
        return there
    part = parts_directory(root) / name
    part.parent.mkdir(parents=True)
    try:
        stamp = fetch(address, part, cancelled)
        target = _place(root, address, stamp) / name
        if part.exists():  # and was not cancelled
            settle(part, target)
        return target
    finally:
        shutil.rmtree(part.parent, ignore_errors=True)


def _place(root: Path, address: str, stamp: str) -> Path:
    return root / (state_name([f"{address} {stamp}"]) if stamp else nameless())


def _stamp(address: str) -> str:
    """Ask what state a file is in; nothing where the server does not say, or does not like to be asked."""
    try:
        with session() as opened:
            answer = opened.head(address, allow_redirects=True, timeout=_SECONDS)
    except requests.RequestException:
        return ""  # who fetches it says what is wrong
    length = answer.headers.get("Content-Length", "")
    return stamp_of(answer, int(length) if length.isdecimal() else None) if answer.ok else ""


def file_name(uri: str) -> str:
    """Return the name that the path of a URI gives its file; what comes after the path has no say."""
    name = PurePosixPath(unquote(urlsplit(uri).path, errors="replace")).name.replace("\0", "")
    while len(os.fsencode(name)) > _LONGEST_NAME:
        name = name[1:]  # the end tells the format
    return name if name not in ("", ".", "..") else "download"
