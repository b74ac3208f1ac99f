"""Downloads of http and https inputs within miniwdl's own process, instead of by a task in a container.

Without our backend chosen, miniwdl's own downloader goes on as ever.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Generator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from WDL._util import TerminationSignalFlag
from WDL.runtime import config
from WDL.runtime.cache import CallCache
from WDL.runtime.download import aria2c_downloader
from WDL.runtime.error import Terminated

from ..storage import layout
from .settings import chosen

__all__ = ["file", "place_for"]

_LONGEST_NAME = 200
"""Bytes; file systems have 255, and the file is first written under a longer name."""

Exchange = dict[str, Any]


def file(cfg: config.Loader, logger: logging.Logger, uri: str, **received: Any) -> Generator[Exchange, Exchange, None]:
    """Download a file; miniwdl's coroutine for a URI scheme.

    Raises FetchFailed, which miniwdl reports as its DownloadFailed, and Terminated.
    """
    if not chosen(cfg):
        yield from aria2c_downloader(cfg, logger, uri, **received)
        return
    from .fetch import fetch

    directory = place_for(cfg, logger, uri)
    directory.mkdir(parents=True)
    target = directory / file_name(uri)
    with TerminationSignalFlag(logger) as terminating:
        fetch(uri, target, terminating)
        if terminating():
            raise Terminated(quiet=True)
    yield {"outputs": {"file": str(target)}}


def file_name(uri: str) -> str:
    """Return the name that the path of a URI gives its file; what comes after the path has no say."""
    name = PurePosixPath(unquote(urlsplit(uri).path, errors="replace")).name.replace("\0", "")
    while len(os.fsencode(name)) > _LONGEST_NAME:
        name = name[1:]  # the end tells the format
    return name if name not in ("", ".", "..") else "download"


def place_for(cfg: config.Loader, logger: logging.Logger, uri: str, is_directory: bool = False) -> Path:
    """Return a new directory where miniwdl wants the file, or directory.

    What is to go into its download cache is moved there, so it must be made on the same file system.
    """
    with CallCache(cfg, logger) as cache:
        cached = cache.download_cacheable(uri, directory=is_directory)
    if cached is not None and not os.path.exists(cached):
        parent = Path(cfg["file_io"]["root"], cfg["download_cache"]["dir"], "ops")
    else:
        parent = _run_directory(logger) / "download"
    return parent / uuid.uuid4().hex[:12]


def _run_directory(logger: logging.Logger) -> Path:
    """Return the directory of the workflow or task that wants the file: the one where its log is.

    miniwdl tells a downloader neither that nor any other directory. Without such a log it is the current one,
    as for miniwdl's own downloader.
    """
    for handler in reversed(logger.handlers):
        if isinstance(handler, logging.FileHandler):
            log = Path(handler.baseFilename)
            if log.name in (layout.RUN_LOG, layout.CALL_LOG):
                return log.parent
    return Path.cwd()
