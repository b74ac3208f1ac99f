"""Fetches one file by HTTP, going on where it broke off if the server can."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from ..clock import SYSTEM, Clock
from ..errors import FetchFailed
from ..units import format_bytes

__all__ = ["Patience", "fetch", "session", "stamp_of"]

_CHUNK = 1 << 16
_PASSING_TROUBLE = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Patience:
    """How long to bear with a server."""

    attempts: int = 4
    """How often in a row to ask again, without getting any further."""
    pause: float = 0.5
    """Seconds before asking again, doubled each time."""
    silence: float = 30.0
    """Seconds in which a connection must come about, or a byte must come through it."""


def fetch(
    uri: str,
    target: Path,
    cancelled: Callable[[], bool],
    patience: Patience = Patience(),
    clock: Clock = SYSTEM,
) -> str:
    """Fetch a URI into a file, which is there only once it is complete; not at all when cancelled.

    Return what the server calls this state of the file, or nothing where it gives it no name.

    Raises FetchFailed, saying the URI and what was wrong with it, and OSError when the file cannot be written.
    """
    part = target.with_name(target.name + ".part")
    try:
        with session(patience) as opened, part.open("wb") as file:
            transfer = _Transfer(opened, uri, file, patience, clock)
            transfer.run(cancelled)
        if not cancelled():
            os.replace(part, target)
        return transfer.stamp
    except requests.RequestException as error:
        raise FetchFailed(f"{uri} cannot be fetched: {_reason(error)}") from error
    finally:
        part.unlink(missing_ok=True)


def session(patience: Patience = Patience()) -> requests.Session:
    """Return a session that asks again when a connection fails or the server is in passing trouble."""
    retry = Retry(
        total=patience.attempts,
        status_forcelist=_PASSING_TROUBLE,
        allowed_methods={"GET", "HEAD"},
        backoff_factor=patience.pause,
        respect_retry_after_header=False,  # it may say an hour, and nobody could interrupt the wait
        raise_on_status=False,
    )
    opened = requests.Session()
    for scheme in ("http://", "https://"):
        opened.mount(scheme, HTTPAdapter(max_retries=retry))
    # A byte range, and the length that is promised, count the bytes as they are stored.
    opened.headers["Accept-Encoding"] = "identity"
    return opened


def stamp_of(response: requests.Response, size: int | None) -> str:
    """Return what a server calls the state of a file of so many bytes; nothing where that may stand for several."""
    names = [response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")]
    return " ".join([*names, str(size)]) if any(names) and size is not None else ""


class _Transfer:
    """The bytes of one file on their way."""

    def __init__(self, session: requests.Session, uri: str, file: BinaryIO, patience: Patience, clock: Clock) -> None:
        self._session = session
        self._uri = uri
        self._file = file
        self._patience = patience
        self._clock = clock
        self._validator: str | None = None
        """What the server calls this state of the file; None where a part of it is of no use later."""
        self._expected: int | None = None
        self.stamp = ""

    def run(self, cancelled: Callable[[], bool]) -> None:
        """Receive the file from beginning to end."""
        furthest, failures = 0, 0
        while not cancelled():
            why = self._receive(cancelled)
            if why is None:
                return
            got = self._file.tell()
            failures = failures + 1 if got <= furthest else 0
            furthest = max(furthest, got)
            if failures >= self._patience.attempts:
                of = f" of {format_bytes(self._expected)}" if self._expected is not None else ""
                raise FetchFailed(f"{self._uri} broke off again and again after {format_bytes(furthest)}{of}: {why}")
            self._clock.sleep(self._patience.pause * 2**failures)

    def _receive(self, cancelled: Callable[[], bool]) -> str | None:
        """Receive what is lacking; return None when all is there (or nothing is wanted any more), or why not."""
        with self._session.get(
            self._uri, headers=self._condition(), stream=True, timeout=self._patience.silence
        ) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._file.tell():
                self._restart()
                return "the server has another file now"
            if not response.ok:
                raise FetchFailed(f"{self._uri} answered {response.status_code} {response.reason or ''}".rstrip())
            self._begin(response)
            try:
                for chunk in response.raw.stream(_CHUNK, decode_content=False):
                    self._file.write(chunk)
                    if cancelled():
                        return None
            except HTTPError as error:
                return _reason(error)
        got = self._file.tell()
        if self._expected is not None and got != self._expected:
            return f"the connection was closed after {format_bytes(got)}"
        return None

    def _condition(self) -> dict[str, str]:
        """Ask for the rest if there is a part, and if it is certain to be a part of the same file."""
        if not self._file.tell():
            return {}
        if self._validator is None:
            self._restart()
            return {}
        return {"Range": f"bytes={self._file.tell()}-", "If-Range": self._validator}

    def _begin(self, response: requests.Response) -> None:
        """Take note of what the server is going to send: the rest, or all of it again."""
        length = response.headers.get("Content-Length", "")
        ahead = int(length) if length.isdecimal() else None
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {self._file.tell()}-"):
                raise FetchFailed(f"{self._uri} answered with another part than it was asked for")
        elif self._file.tell():
            self._restart()
        self._expected = None if ahead is None else self._file.tell() + ahead
        self.stamp = stamp_of(response, self._expected)
        tag = response.headers.get("ETag", "")
        self._validator = tag if tag.startswith('"') else response.headers.get("Last-Modified")

    def _restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()


def _reason(error: Exception) -> str:
    """Return the last clause of the nested texts that requests and urllib3 make."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", None) or cause
    return str(cause).rpartition(": ")[2] or type(error).__name__
