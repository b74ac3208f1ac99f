"""Objects to their files. A file has its name once it is whole, and is of one state of its object."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ...clock import SYSTEM, Clock
from ...errors import AwsError, AwsUnreachable
from .. import objects
from ..access import Access, asking
from ..objects import Found
from .refusals import Abandoned
from .runtime import Request, Runtime
from .sizes import SMALL, Cut, cuts
from .transfer import Told, Transfer

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

__all__ = ["download"]

_RANGES_AT_ONCE = 10
_CHUNK = 1 << 20
"""Bytes that are read at once: few calls, and they are still in the processor's cache when they are written."""
_ATTEMPTS, _PAUSE = 5, 0.5
"""In a row, without getting any further; seconds, which double. No settings: half a minute in all, after which the same
command begins again where this one was."""


def download(access: Access, transfers: Iterable[Transfer], told: Told | None = None) -> None:
    """Write objects to their files, side by side. The first that fails ends the rest, and leaves nothing half done."""
    hear = told or (lambda count: None)
    token = uuid.uuid4().hex
    coming = [_Coming(each, _known(access, each), f"{token}-{number}") for number, each in enumerate(transfers)]
    try:
        for each in coming:
            if not each.found.size:
                each.part.touch()
                each.finish()
        most = SMALL if access.signed else 0  # the runtime signs all that it sends
        _small(access, [each for each in coming if 0 < each.found.size <= most], hear)
        _large(access, [each for each in coming if each.found.size > most], hear)
    except AwsError as error:
        raise _explained(error) from error
    finally:
        for each in coming:
            if not each.finished:
                each.part.unlink(missing_ok=True)


class _Coming:
    """A file on its way."""

    def __init__(self, transfer: Transfer, found: Found, name: str) -> None:
        self.transfer = transfer
        self.found = found
        assert transfer.path is not None
        self.path = transfer.path
        self.part = self.path.parent / f".{name}.part"
        self.finished = False

    def finish(self) -> None:
        """Give it its name."""
        os.replace(self.part, self.path)
        self.finished = True


def _known(access: Access, transfer: Transfer) -> Found:
    found = transfer.found or objects.find(access, transfer.bucket, transfer.key)
    if found is None:
        raise AwsError(f"there is nothing at {transfer.address}", code="NoSuchKey")
    return found


def _explained(error: AwsError) -> AwsError:
    if error.code not in ("PreconditionFailed", "412"):
        return error
    return AwsError(f"an object changed while it was downloaded: {error}", code=error.code, hint="try again")


def _small(access: Access, coming: Sequence[_Coming], told: Told) -> None:
    if not coming:
        return
    with Runtime(access) as runtime:
        for answer in runtime.answers(_whole(each, number) for number, each in enumerate(coming)):
            coming[answer.request.number].finish()
            told(answer.request.size)


def _whole(coming: _Coming, number: int) -> Request:
    transfer, found = coming.transfer, coming.found
    return Request(
        "GetObject", transfer.bucket, transfer.key, found.size, receive=coming.part, etag=found.etag, number=number
    )


def _large(access: Access, coming: Sequence[_Coming], told: Told) -> None:
    if not coming:
        return
    fetching = _Fetching(access, told)
    with ThreadPoolExecutor(_RANGES_AT_ONCE) as pool:
        try:
            pieces = [[pool.submit(fetching.fetch, each, cut) for cut in cuts(each.found.size)] for each in coming]
            for each, futures in zip(coming, pieces, strict=True):
                for future in futures:
                    future.result()
                each.finish()
        except BaseException:
            fetching.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Fetching:
    """Ranges of large objects on their way, for any number of threads."""

    def __init__(self, access: Access, told: Told, clock: Clock = SYSTEM) -> None:
        self._client: S3Client = access.client("s3")
        self._told = told
        self._clock = clock
        self.stopped = threading.Event()

    def fetch(self, coming: _Coming, cut: Cut) -> None:
        """Fetch a range into its place in the file, going on where the connection broke off."""
        end, failures = cut.start + cut.size, 0
        file = os.open(coming.part, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            at = cut.start
            while at < end:
                before = at
                try:
                    for chunk in self._chunks(coming, at, end):
                        _write(file, chunk, at, coming.path)
                        at += len(chunk)
                        self._told(len(chunk))
                except _BrokenOff as error:
                    failures = 0 if at > before else failures + 1
                    if failures >= _ATTEMPTS:
                        raise AwsUnreachable(
                            f"{coming.transfer.address} breaks off again and again: {error}"
                        ) from error
                    self._clock.sleep(_PAUSE * 2**failures)
        finally:
            os.close(file)

    def _chunks(self, coming: _Coming, start: int, end: int) -> Iterator[bytes]:
        transfer = coming.transfer
        with asking(f"downloading {transfer.address}"):
            answer = self._client.get_object(
                Bucket=transfer.bucket, Key=transfer.key, Range=f"bytes={start}-{end - 1}", IfMatch=coming.found.etag
            )
        with closing(answer["Body"]) as body:
            while chunk := _read(body):
                if self.stopped.is_set():
                    raise Abandoned
                yield chunk


class _BrokenOff(Exception):
    """A connection ended before all had come."""


def _read(body: StreamingBody) -> bytes:
    from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

    try:
        return body.read(_CHUNK)
    except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError) as error:
        raise _BrokenOff(str(error)) from error


def _write(file: int, chunk: bytes, at: int, path: Path) -> None:
    view = memoryview(chunk)
    try:
        while view:
            written = os.pwrite(file, view, at)
            view, at = view[written:], at + written
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
