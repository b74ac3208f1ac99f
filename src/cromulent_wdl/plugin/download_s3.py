"""Downloads of `s3://` inputs within miniwdl's own process, by boto3's transfer manager, instead of by a task.

In a head they go straight to the shared disk, each content once for all runs; elsewhere where miniwdl wants them.
Without our backend chosen, miniwdl's own downloader goes on as ever.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path
from typing import Any

from WDL._util import TerminationSignalFlag
from WDL.runtime import config
from WDL.runtime.download import awscli_directory_downloader, awscli_downloader
from WDL.runtime.error import Terminated

from ..aws.access import Access
from ..storage.downloads import Wanted, fetch
from .download import place_for, shared_inputs
from .settings import chosen, settings_of

__all__ = ["directory", "file"]

Exchange = dict[str, Any]


def file(cfg: config.Loader, logger: logging.Logger, uri: str, **received: Any) -> Generator[Exchange, Exchange, None]:
    """Download an object; miniwdl's coroutine for a URI scheme. Raises FetchFailed, Terminated."""
    if not chosen(cfg):
        yield from awscli_downloader(cfg, logger, uri, **received)
        return
    yield {"outputs": {"file": str(_fetched(cfg, logger, Wanted(uri)))}}


def directory(
    cfg: config.Loader, logger: logging.Logger, uri: str, **received: Any
) -> Generator[Exchange, Exchange, None]:
    """Download all objects below an address. Raises FetchFailed, Terminated."""
    if not chosen(cfg):
        yield from awscli_directory_downloader(cfg, logger, uri, **received)
        return
    yield {"outputs": {"directory": str(_fetched(cfg, logger, Wanted(uri, directory=True)))}}


def _fetched(cfg: config.Loader, logger: logging.Logger, wanted: Wanted) -> Path:
    settings = settings_of(cfg).settings
    root = shared_inputs(cfg) or place_for(cfg, logger, wanted.address, wanted.directory)
    access = Access(profile=settings.profile or None, region=settings.region or None)
    with TerminationSignalFlag(logger) as terminating:
        try:
            return fetch(access, [wanted], root, terminating)[wanted.address]
        except InterruptedError as error:
            raise Terminated(quiet=True) from error
