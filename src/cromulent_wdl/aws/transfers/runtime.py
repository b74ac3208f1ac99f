"""The AWS Common Runtime: sends requests of S3 side by side, signs and repeats them, all of it in C.

boto3 says where a bucket is and with which keys to sign, so that profiles, roles, endpoints and proxies are the same
for both.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from ...clock import SYSTEM, Clock
from ..access import Access
from .doorway import Doorway, Place
from .refusals import Said, failure
from .room import Pace, Room
from .sizes import SMALL

if TYPE_CHECKING:
    from awscrt.io import ClientBootstrap
    from awscrt.s3 import S3Client, S3Request

__all__ = ["Answer", "Request", "Runtime"]

_AT_ONCE = 50
"""Requests: enough for small files over a long way. There is a connection for each that needs one."""
_BYTES_AT_ONCE = 320 << 20
"""Which the runtime holds in memory."""
_MEMORY = 1 << 30
"""The least limit that the runtime takes."""
_FAREWELL_SECONDS = 10.0
"""No setting: what was cancelled lets go of its files in a moment, or the process that wants to end does not wait."""
_REGION = "x-amz-bucket-region"
"""The header by which S3 says where a bucket is that was looked for elsewhere."""


@dataclass(frozen=True)
class Request:
    """A request about one object."""

    operation: str
    """As S3 calls it."""
    bucket: str
    key: str
    size: int
    """Bytes that it moves."""
    body: BinaryIO | None = None
    receive: Path | None = None
    """The file that takes what comes."""
    query: str = ""
    etag: str = ""
    """What the object must still be."""
    number: int = 0
    """By which the sender knows it again."""

    @property
    def what(self) -> str:
        """What is being done, in a participle."""
        return f"{'downloading' if self.receive else 'uploading'} s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Answer:
    """What came of a request that went well; names of headers are in lower case."""

    request: Request
    headers: Mapping[str, str]


class Runtime:
    """Requests under way, for any number of threads. Leaving it abandons what has not ended."""

    def __init__(self, access: Access, clock: Clock = SYSTEM) -> None:
        self._door = Doorway(access, clock)
        self._clock = clock
        self._room = Room(_AT_ONCE, _BYTES_AT_ONCE)
        self._lock = threading.Lock()
        self._numbers = count()
        self._underway: dict[int, S3Request] = {}
        self._client = _client(access, self._door)

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *error: object) -> None:
        self._room.close()
        with self._lock:
            left = list(self._underway.values())
        for each in left:
            each.cancel()

    def answers(self, requests: Iterable[Request], most: int = _AT_ONCE) -> Iterator[Answer]:
        """Send the requests, as many at once as there is room and a quick line for, and yield answers as they come.

        Raises AwsError and its kind, OSError for what a file is to blame for, and Abandoned; then, and where the
        caller takes no more, what is under way is abandoned.
        """
        mine = _Caller(Pace(most))
        try:
            for request in requests:
                while len(mine.underway) >= mine.pace.at_once:
                    yield from self._taken(mine)
                self._room.enter(request.size)
                self._send(request, mine)
                while not mine.came.empty():
                    yield from self._taken(mine)
            while mine.underway:
                yield from self._taken(mine)
        finally:
            self._abandon(mine)

    def _taken(self, mine: _Caller) -> Iterator[Answer]:
        """Wait for one to end, and yield its answer; one that S3 sends elsewhere is sent there."""
        sent, said = mine.came.get()
        mine.underway.discard(sent.number)
        mine.pace.came(sent.request.size, self._clock.monotonic() - sent.at, sent.at_once)
        request = sent.request
        if said.error is None:
            yield Answer(request, said.headers)
            return
        region = said.headers.get(_REGION, sent.region)
        if region == sent.region:
            raise failure(request.what, said, self._door.trouble)
        self._door.moved(request.bucket, region)
        self._room.enter(request.size)
        self._send(request, mine)

    def _send(self, request: Request, mine: _Caller) -> None:
        place = self._door.place(request.bucket)
        sent = _Sent(next(self._numbers), request, place.region, self._clock.monotonic(), mine.pace.at_once)
        heard: dict[str, str] = {}
        options: dict[str, Any] = {
            "signing_config": self._door.signing(place.region),
            "on_done": partial(self._done, sent, heard, mine),
        }
        if request.receive is None:  # of what comes nobody wants them
            options["on_headers"] = partial(_hear, heard)
        try:
            with self._lock:  # which whoever hears of its end takes, too
                self._underway[sent.number] = self._client.make_request(**_asked(request, place), **options)
        except RuntimeError as error:  # there is no end then; a file that cannot be opened is what may be wrong
            if request.receive is not None:
                request.receive.touch()  # which has the system say what
            raise OSError(f"{request.what}: {error}") from error
        mine.underway.add(sent.number)

    def _done(self, sent: _Sent, heard: Mapping[str, str], mine: _Caller, **came: Any) -> None:
        """Take note, in a thread of the runtime's, that a request has ended."""
        headers = {name.lower(): text for name, text in came.get("error_headers") or ()} or heard
        with self._lock:
            self._underway.pop(sent.number, None)
        self._room.leave(sent.request.size)
        mine.came.put((sent, Said(came.get("error"), came.get("status_code"), headers, came.get("error_body") or b"")))

    def _abandon(self, mine: _Caller) -> None:
        """Cancel what a caller has under way, and wait until its files are let go."""
        if not mine.underway:
            return
        with self._lock:
            left = [self._underway[number] for number in mine.underway if number in self._underway]
        for each in left:
            each.cancel()
        deadline = self._clock.monotonic() + _FAREWELL_SECONDS
        with suppress(Empty):
            while mine.underway:
                sent, _ = mine.came.get(timeout=max(0.01, deadline - self._clock.monotonic()))
                mine.underway.discard(sent.number)


def _hear(heard: dict[str, str], headers: Iterable[tuple[str, str]], **_: Any) -> None:
    heard.update((name.lower(), text) for name, text in headers)


@dataclass(frozen=True)
class _Sent:
    """A request on its way."""

    number: int
    request: Request
    region: str
    at: float
    at_once: int


@dataclass
class _Caller:
    """Who has requests under way, and what of them has ended."""

    pace: Pace
    underway: set[int] = field(default_factory=set)
    came: SimpleQueue[tuple[_Sent, Said]] = field(default_factory=SimpleQueue)


def _asked(request: Request, place: Place) -> dict[str, Any]:
    """Return a request as the runtime takes it."""
    from awscrt.http import HttpHeaders, HttpRequest
    from awscrt.s3 import S3RequestType

    path = f"{place.path}/{quote(request.key, safe='/~')}{request.query}"
    headers = HttpHeaders([("host", place.host), ("user-agent", "cromulent")])
    if request.receive is not None:
        if request.etag:
            headers.add("if-match", request.etag)
        return {
            "type": S3RequestType.GET_OBJECT,
            "request": HttpRequest("GET", path, headers),
            "recv_filepath": str(request.receive),
            "checksum_config": _checksums(down=True),
        }
    headers.add("content-length", str(request.size))
    return {
        "type": S3RequestType.DEFAULT,
        "operation_name": request.operation,
        "request": HttpRequest("PUT", path, headers, request.body),
        "checksum_config": _checksums(down=False),
    }


@lru_cache
def _checksums(down: bool) -> Any:
    """Return what has damage on the way noticed: S3 checks what goes up, the runtime what comes."""
    from awscrt.s3 import S3ChecksumAlgorithm, S3ChecksumConfig, S3ChecksumLocation, S3ChecksumValidationMode

    if down:
        # Of each answer by itself: for that of the whole object the runtime may ask once more.
        mode = S3ChecksumValidationMode.REQUEST_ONLY
        return S3ChecksumConfig(validate_response=True, response_validation_mode=mode)
    return S3ChecksumConfig(algorithm=S3ChecksumAlgorithm.CRC32, location=S3ChecksumLocation.HEADER)


@lru_cache
def _bootstrap() -> ClientBootstrap:
    """Return the process's one thread of the runtime; a second one would cost more than it brings."""
    from awscrt.io import ClientBootstrap, DefaultHostResolver, EventLoopGroup

    group = EventLoopGroup(1)
    return ClientBootstrap(group, DefaultHostResolver(group))


def _client(access: Access, door: Doorway) -> S3Client:
    from awscrt.io import ClientTlsContext, TlsContextOptions
    from awscrt.s3 import S3Client, S3RequestTlsMode

    given: dict[str, Any] = {"tls_mode": S3RequestTlsMode.DISABLED}
    if door.secure:
        trusting = TlsContextOptions()
        trusting.override_default_trust_store_from_path(ca_filepath=access.authorities)
        options = ClientTlsContext(trusting).new_connection_options()
        given = {"tls_mode": S3RequestTlsMode.ENABLED, "tls_connection_options": options}
    return S3Client(
        bootstrap=_bootstrap(),
        region=access.region,
        signing_config=door.signing(access.region),
        part_size=SMALL,
        memory_limit=_MEMORY,
        max_active_connections_override=_AT_ONCE,
        **given,
    )
