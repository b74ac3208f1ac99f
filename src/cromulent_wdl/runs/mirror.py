"""A run in the cloud as a directory on this machine: a copy of its record, brought up to date whenever one looks.

::

    cloud.json       which run of which deployment this is
    journal.jsonl    its journal, as it would lie in a run directory
    head.log         the log of its heads
    call-…/          what its calls wrote, as it comes; once the run has ended, the texts of its directory
    request.json     what was asked for, so that it can be asked for again when `gc` has removed the run
    result.json      how it ended; when it is here, nothing is asked any more

So whatever reads a run's directory reads this one as well, and it can be deleted at any time.
"""

from __future__ import annotations

import fcntl
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from ..aws import executions, objects
from ..aws.access import Access
from ..aws.executions import Execution
from ..clock import SYSTEM, Clock
from ..errors import AwsError, CredentialsError
from ..files import write_whole
from ..model import Ending, RunEnded, RunStarted, to_json
from ..model.cloud_run import RunResult, begun_in, name_in
from ..storage import layout
from ..storage.bucket import RunKeys
from .given import Given
from .head_log import HeadLog
from .index import register
from .journal import JournalReader
from .removal import note, noted
from .segments import SegmentReader
from .untold import said

__all__ = ["CloudRun", "Mirror", "copy_of", "mirror_of", "run_in"]

_RESULT = "result.json"
_REQUEST = "request.json"
_PLACE = "seen.json"
_LOCK = ".lock"
_ASK_EVERY = 5.0
"""Seconds between two questions whether the execution still goes on. No setting: only a run that was lost needs them,
and Step Functions itself takes minutes to know that one is."""
_FORGOTTEN_AFTER = 3600.0
"""Seconds after which an execution that is not there is one that was: a new one may take a while to be seen."""
_DELETED = "nobody knows how it ended: its record was deleted with the deployment's bucket"
_FORGOTTEN = "nobody knows how it ended: it left no result, and Step Functions has forgotten it"
_LOST = (Ending.LOST, "failed", 1)
_ENDS = {"ABORTED": (Ending.STOPPED, "stopped", 130), "SUCCEEDED": (Ending.OK, "ok", 0)}
"""How a run ended whose result is not in the bucket, with its state and exit status, by the state of its execution."""


@dataclass(frozen=True)
class CloudRun:
    """Which run it is, and how this machine reaches it."""

    run: str
    deployment: str
    bucket: str
    machine: str
    """The ARN of the state machine."""
    region: str
    log_group: str = ""
    profile: str = ""
    source: str = ""
    """Where its source lies on the machine that started it; empty where another did."""
    paths: tuple[str, ...] = ()
    """Where its imports were looked for there, too."""

    @property
    def address(self) -> str:
        """Where the run lies in the bucket."""
        return f"s3://{self.bucket}/{RunKeys(self.run).root}".rstrip("/")


@dataclass(frozen=True)
class _Seen:
    """How far the copy goes."""

    segment: str = ""
    head: str = ""
    log_token: str = ""


def copy_of(run: str) -> Path:
    """Return where the copy of a run would be, by its id."""
    return layout.state_directory() / "cloud" / run


def mirror_of(run: CloudRun) -> Path:
    """Return the directory of a run's copy, made and put on this machine's list where it was not."""
    directory = copy_of(run.run)
    if not (directory / layout.CLOUD).exists():
        directory.mkdir(parents=True, exist_ok=True)
        (directory / layout.JOURNAL).touch()
        write_whole(directory / layout.CLOUD, msgspec.json.encode(run))
        register(directory)
    return directory


def run_in(directory: Path) -> CloudRun:
    """Return which run the directory is a copy of."""
    return msgspec.json.decode((directory / layout.CLOUD).read_bytes(), type=CloudRun)


class Mirror:
    """Brings a copy up to date. `access` is opened as the copy says where it is not given."""

    def __init__(self, directory: Path, access: Access | None = None, clock: Clock = SYSTEM) -> None:
        self.directory = directory
        self.run = run_in(directory)
        self.access = access or Access(profile=self.run.profile or None, region=self.run.region or None)
        self.keys = RunKeys(self.run.run)
        self._clock = clock
        self._log = HeadLog(self.access, self.run.bucket, self.keys, directory)
        self._asked: float | None = None
        self._read = False
        self._looked = False

    def result(self) -> RunResult | None:
        """Return how the run ended, as far as the copy knows."""
        try:
            return msgspec.json.decode((self.directory / _RESULT).read_bytes(), type=RunResult)
        except FileNotFoundError:
            return None

    def request(self) -> bytes | None:
        """Return what was asked for, as the copy has it."""
        try:
            return (self.directory / _REQUEST).read_bytes()
        except FileNotFoundError:
            return None

    @property
    def lost(self) -> bool:
        """Whether the run has ended and nobody will ever know how."""
        result = self.result()
        return result is not None and result.state == "lost"

    def removed(self) -> str:
        """Return by which command the record was removed from the bucket; empty while it is there.

        It is asked for once the run has ended, and no more than once, since what is known of the run is told all the
        same: where AWS cannot be asked, it is as far as is known.
        """
        result = self.result()
        seen = self._seen().segment or (result is not None and result.state == "ok")
        if result is not None and seen and not self._looked and not noted(self.directory):
            self._looked = True
            with suppress(AwsError, CredentialsError):
                if by := self._remover():
                    note(self.directory, by)
        return noted(self.directory)

    def _remover(self) -> str:
        try:
            found = objects.get(self.access, self.run.bucket, self.keys.request, patient=False)
        except AwsError as error:
            if error.code != objects.NO_BUCKET:
                raise
            return "down"
        return "gc" if found is None else ""

    def refresh(self) -> None:
        """Copy what is new; where another process is at it, leave it to that. Raises AwsError and its kind."""
        if self.result() is not None:
            return
        with self._alone() as alone:
            if not alone:
                return
            try:
                self._refresh()
            except AwsError as error:
                if error.code != objects.NO_BUCKET:
                    raise
                self._lose(_DELETED)

    def execution(self) -> Execution | None:
        """Return the run's execution; None where Step Functions has forgotten it."""
        return executions.find(self.access, self.run.machine, self.run.run)

    def _refresh(self) -> None:
        if not self._read:
            self._read = True
            self._copy_request()
            for event in JournalReader(self.directory / layout.JOURNAL).new():
                self._log.hear(event)
        seen = self._seen()
        content = objects.get(self.access, self.run.bucket, self.keys.result)
        seen = self._copy_journal(seen)
        head, token = self._log.copy(seen.head, seen.log_token)
        write_whole(self.directory / _PLACE, msgspec.json.encode(replace(seen, head=head, log_token=token)))
        if content is not None:
            self._end(msgspec.json.decode(content, type=RunResult))
        else:
            self._ask()

    def _copy_request(self) -> None:
        """Have it from the beginning: once the run has ended `gc` may remove it at any moment."""
        if self.request() is None:
            request = objects.get(self.access, self.run.bucket, self.keys.request)
            if request is not None:
                write_whole(self.directory / _REQUEST, request)

    def _copy_journal(self, seen: _Seen) -> _Seen:
        reader = SegmentReader(self.access, self.run.bucket, self.keys, seen.segment)
        with (self.directory / layout.JOURNAL).open("ab") as journal:
            for event in reader.new():
                journal.write((to_json(event) + "\n").encode(errors="backslashreplace"))
                self._log.hear(event)
        return replace(seen, segment=reader.last)

    def _end(self, result: RunResult) -> None:
        """Take the run's own texts in the place of what came by the log, then note that all is here."""
        texts = objects.get(self.access, self.run.bucket, self.keys.logs)
        if texts is not None:
            _unpack(texts, self.directory)
        told = list(JournalReader(self.directory / layout.JOURNAL).new(of_run_only=True))
        if not told or not isinstance(told[-1], RunEnded):  # its head could not use the request, or lost its last words
            execution = self.execution()
            begun = execution.started if execution else self._clock.now()
            ended = (execution.ended if execution else None) or self._clock.now()
            self._note_end(begun, RunEnded(ended, Ending(result.state), result.message, result.call))
        write_whole(self.directory / _RESULT, msgspec.json.encode(result))

    def _ask(self) -> None:
        """Note the end of a run that has no result: it was stopped from outside, or lost; or `gc` has removed it."""
        now = self._clock.monotonic()
        if self._asked is not None and now - self._asked < _ASK_EVERY:
            return
        self._asked = now
        execution = self.execution()
        if execution is None:
            if self._clock.now() - begun_in(self.run.run) >= _FORGOTTEN_AFTER:
                self._lose(_FORGOTTEN)
            return
        if execution.goes_on:
            return
        if objects.find(self.access, self.run.bucket, self.keys.result) is not None:
            return  # it came meanwhile, and is copied the next time
        ending, state, status = _ENDS.get(execution.status, _LOST)
        message, task = ("", "") if ending is Ending.OK else said(execution)
        words = self._log.copy_of(self.run.log_group, task) if task else ()
        self._note_end(execution.started, RunEnded(execution.ended or self._clock.now(), ending, message))
        error = "" if ending is Ending.OK else execution.error or execution.status
        result = RunResult(self.run.run, state, error, message, exit_status=status, last_words=words)
        write_whole(self.directory / _RESULT, msgspec.json.encode(result))

    def _lose(self, why: str) -> None:
        """Note that a run is lost whose end nobody knows."""
        begun = begun_in(self.run.run)
        told = list(JournalReader(self.directory / layout.JOURNAL).new())
        self._note_end(begun, RunEnded(told[-1].at if told else begun, Ending.LOST, why))
        result = RunResult(self.run.run, "lost", "Cromulent.Lost", why, exit_status=1)
        write_whole(self.directory / _RESULT, msgspec.json.encode(result))

    def _note_end(self, begun: float, end: RunEnded) -> None:
        """Have an end in the journal that no head has written, and a beginning where there is none."""
        with (self.directory / layout.JOURNAL).open("a", encoding="utf-8") as journal:
            if journal.tell() == 0:
                start = RunStarted(begun, self.run.run, name_in(self.run.run), "workflow", "", 0, "", "fargate")
                journal.write(to_json(start) + "\n")
            journal.write(to_json(end) + "\n")

    def _seen(self) -> _Seen:
        try:
            return msgspec.json.decode((self.directory / _PLACE).read_bytes(), type=_Seen)
        except FileNotFoundError:
            return _Seen()

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        with (self.directory / _LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def _unpack(texts: bytes, directory: Path) -> None:
    given = Given(directory)
    with zipfile.ZipFile(io.BytesIO(texts)) as archive:
        for name in archive.namelist():
            if name != layout.JOURNAL and name not in (layout.CLOUD, _RESULT, _REQUEST):
                given.name_in(Path(archive.extract(name, directory)))
