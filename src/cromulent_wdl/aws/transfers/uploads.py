"""Files to their objects. What was looked at is what is sent: a file that has changed since is not.

A small file is read whole before it goes. Of a large one nothing is there before it is complete, and it is not
completed if the file has changed meanwhile. So an object's name may speak of its content, and is believed by all.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import quote

from ...errors import AwsError, FileUnstable
from ...model.file_state import FileState
from .. import objects
from ..access import Access, asking
from .runtime import Request, Runtime
from .sizes import SMALL, Cut, cuts
from .transfer import Part, Told, Transfer, Unfinished

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["upload"]

_LARGE_AT_ONCE = 4
"""Files."""
_PARTS_AT_ONCE = 8
"""Of each."""


def upload(
    access: Access,
    transfers: Iterable[Transfer],
    told: Told | None = None,
    unfinished: Mapping[str, Unfinished] | None = None,
) -> None:
    """Write files to their objects, side by side. The first that fails ends the rest.

    A large one goes on where an `unfinished` upload of its key broke off, and is left unfinished where it breaks off;
    without these, nothing of it is left. Raises FileUnstable for a file that changes.
    """
    hear = told or _unheard
    small, large = _sorted(transfers)
    if not small and not large:
        return
    with ThreadPoolExecutor(_LARGE_AT_ONCE) as pool, Runtime(access) as runtime:
        sending = _Sending(access, runtime, hear, unfinished)
        pieces = [pool.submit(sending.in_parts, each) for each in large]
        for answer in runtime.answers(_whole(each) for each in small):
            hear(answer.request.size)
        for piece in pieces:
            piece.result()


def _unheard(count: int) -> None:
    pass


def _sorted(transfers: Iterable[Transfer]) -> tuple[list[Transfer], list[Transfer]]:
    small: list[Transfer] = []
    large: list[Transfer] = []
    for each in transfers:
        size = each.state.size if each.state else os.stat(each.path).st_size if each.path else 0
        (small if size <= SMALL else large).append(each)
    return small, large


def _whole(transfer: Transfer) -> Request:
    content = b""
    if transfer.path is not None:
        with transfer.path.open("rb", buffering=0) as file:
            before = _opened(transfer, file)
            content = file.read()
            _same(transfer, file, before)
    return Request("PutObject", transfer.bucket, transfer.key, len(content), body=io.BytesIO(content))


def _opened(transfer: Transfer, file: io.FileIO) -> FileState:
    """Return the state of a file that was opened to be sent."""
    state = FileState.of(os.fstat(file.fileno()))
    if transfer.state is not None and transfer.state != state:
        raise _changed(transfer)
    return state


def _same(transfer: Transfer, file: io.FileIO, before: FileState) -> None:
    if FileState.of(os.fstat(file.fileno())) != before:
        raise _changed(transfer)


def _changed(transfer: Transfer) -> FileUnstable:
    return FileUnstable(
        f"{transfer.path} changed while it was uploaded; it was not kept", hint="try again when nothing writes to it"
    )


class _Sending:
    """Large files on their way, each in a thread of its own."""

    def __init__(
        self, access: Access, runtime: Runtime, told: Told, unfinished: Mapping[str, Unfinished] | None
    ) -> None:
        self._client: S3Client = access.client("s3")
        self._access = access
        self._runtime = runtime
        self._told = told
        self._unfinished = unfinished

    def in_parts(self, transfer: Transfer) -> None:
        """Send a file in parts, or what an unfinished upload lacks of it."""
        assert transfer.path is not None  # nothing is not large
        with transfer.path.open("rb", buffering=0) as file:
            before = _opened(transfer, file)
            known = (self._unfinished or {}).get(transfer.key)
            upload = known.upload if known else self._begin(transfer)
            try:
                parts = dict(known.parts) if known else {}
                self._send(transfer, file, before.size, Unfinished(upload, parts))
                _same(transfer, file, before)
                self._complete(transfer, Unfinished(upload, parts))
            except AwsError as error:
                if not (error.code == "NoSuchUpload" and self._is_there(transfer, before.size)):
                    self._leave(transfer, upload)
                    raise
            except BaseException:
                self._leave(transfer, upload)
                raise

    def _begin(self, transfer: Transfer) -> str:
        with asking(f"uploading {transfer.address}"):
            begun = self._client.create_multipart_upload(
                Bucket=transfer.bucket, Key=transfer.key, ChecksumAlgorithm="CRC32"
            )
        return begun["UploadId"]

    def _send(self, transfer: Transfer, file: io.FileIO, size: int, upload: Unfinished) -> None:
        """Send the parts that are lacking, and add them to the upload's."""
        parts = cast(dict[int, Part], upload.parts)
        pieces = cuts(size)
        if upload.bytes:
            self._told(upload.bytes)
        lacking = [piece for piece in pieces if piece.number not in parts]
        requests = (_part(transfer, file, piece, upload.upload) for piece in lacking)
        for answer in self._runtime.answers(requests, _PARTS_AT_ONCE):
            request, headers = answer.request, answer.headers
            checksum = headers.get("x-amz-checksum-crc32", "")
            parts[request.number] = Part(headers.get("etag", ""), checksum, request.size)
            self._told(request.size)

    def _complete(self, transfer: Transfer, upload: Unfinished) -> None:
        with asking(f"uploading {transfer.address}"):
            self._client.complete_multipart_upload(
                Bucket=transfer.bucket,
                Key=transfer.key,
                UploadId=upload.upload,
                MultipartUpload={
                    "Parts": [
                        {"PartNumber": number, "ETag": part.etag, "ChecksumCRC32": part.checksum}
                        if part.checksum
                        else {"PartNumber": number, "ETag": part.etag}
                        for number, part in sorted(upload.parts.items())
                    ]
                },
            )

    def _is_there(self, transfer: Transfer, size: int) -> bool:
        """Whether somebody else has completed the same upload."""
        found = objects.find(self._access, transfer.bucket, transfer.key)
        return self._unfinished is not None and found is not None and found.size == size

    def _leave(self, transfer: Transfer, upload: str) -> None:
        """Abort an upload that nobody will go on with."""
        if self._unfinished is None:
            with suppress(AwsError), asking(f"giving up {transfer.address}"):
                self._client.abort_multipart_upload(Bucket=transfer.bucket, Key=transfer.key, UploadId=upload)


def _part(transfer: Transfer, file: io.FileIO, piece: Cut, upload: str) -> Request:
    query = f"?partNumber={piece.number}&uploadId={quote(upload, safe='')}"
    body = cast(BinaryIO, _Piece(file.fileno(), piece))
    return Request("UploadPart", transfer.bucket, transfer.key, piece.size, body=body, query=query, number=piece.number)


class _Piece(io.RawIOBase):
    """A piece of a file as a stream; the file is read when the runtime wants it, straight into its memory."""

    def __init__(self, file: int, piece: Cut) -> None:
        self._file = file
        self._piece = piece
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes."""
        wanted = min(len(buffer), self._piece.size - self._at)
        got = os.preadv(self._file, [buffer[:wanted]], self._piece.start + self._at) if wanted else 0
        self._at += got
        return got

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place within the piece."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._piece.size}[whence]
        self._at = base + offset
        return self._at
