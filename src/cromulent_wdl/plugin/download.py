"""Downloads of http and https inputs within miniwdl's own process, instead of by a task in a container.

Without our backend chosen, miniwdl's own downloader goes on as ever.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

from WDL._util import TerminationSignalFlag
from WDL.runtime import config
from WDL.runtime.cache import CallCache
from WDL.runtime.download import aria2c_downloader
from WDL.runtime.error import Terminated

from ..model.deployment import deployment_in
from ..storage import layout
from ..storage.downloaded import downloads_directory
from .settings import chosen, settings_of

__all__ = ["file", "place_for", "shared_inputs"]

Exchange = dict[str, Any]


def file(cfg: config.Loader, logger: logging.Logger, uri: str, **received: Any) -> Generator[Exchange, Exchange, None]:
    """Download a file; miniwdl's coroutine for a URI scheme.

    Raises FetchFailed, which miniwdl reports as its DownloadFailed, and Terminated.
    """
    if not chosen(cfg):
        yield from aria2c_downloader(cfg, logger, uri, **received)
        return
    from ..storage.web import fetch_once, file_name
    from ..storage.web_fetch import fetch

    shared = shared_inputs(cfg)
    with TerminationSignalFlag(logger) as terminating:
        if shared is not None:
            target = fetch_once(uri, shared, terminating)
        else:
            directory = place_for(cfg, logger, uri)
            directory.mkdir(parents=True)
            target = directory / file_name(uri)
            fetch(uri, target, terminating)
        if terminating():
            raise Terminated(quiet=True)
    yield {"outputs": {"file": str(target)}}


def shared_inputs(cfg: config.Loader) -> Path | None:
    """Return where a head keeps what it has downloaded, for all runs; None where this is no head."""
    mount = settings_of(cfg).settings.mount if deployment_in(os.environ) is not None else ""
    return downloads_directory(mount) if mount else None


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
