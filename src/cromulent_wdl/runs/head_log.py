"""The log of a run's heads, copied while it grows, and in it what the calls say on their standard error.

A head writes miniwdl's log with all that tasks say (`-v`) to its own output, which is a stream of CloudWatch Logs.
A line of a task's standard error has the task's logger: `wdl.w:align.w:call-inner.t:call-count-0.stderr`.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from ..aws import objects
from ..aws.access import Access
from ..aws.log_streams import pages
from ..model import CallStarted, Event, TaskPlaced
from ..model.cloud_run import HeadRecord
from ..storage import layout
from ..storage.bucket import RunKeys

__all__ = ["HeadLog", "stream_of"]

_STREAM = "head/head/"
"""What awslogs makes of the prefix and the container's name in provision/template.yaml; the task's id follows."""
_LAST_WORDS = 3

_SPOKEN = re.compile(r"\S+ \S+ wdl\.(\S+)\.stderr VERBOSE (.*)", re.DOTALL)


def stream_of(task: str) -> str:
    """Return the stream in which a head logs, from the ARN of its ECS task."""
    return _STREAM + task.rpartition("/")[2]


class HeadLog:
    """Copies the log into a directory."""

    def __init__(self, access: Access, bucket: str, keys: RunKeys, directory: Path) -> None:
        self._access = access
        self._bucket = bucket
        self._keys = keys
        self._directory = directory
        self._attempts: dict[str, int] = {}
        self._directories: dict[str, str] = {}

    def hear(self, event: Event) -> None:
        """Learn from the journal which attempt of a call is under way."""
        if isinstance(event, CallStarted):
            self._directories[event.call] = event.directory
        elif isinstance(event, TaskPlaced):
            self._attempts[self._directories.get(event.call, "")] = event.attempt

    def copy(self, head: str, token: str) -> tuple[str, str]:
        """Copy what has come since a token of a head's stream; return the last head and its token."""
        for found in list(objects.listing(self._access, self._bucket, self._keys.heads)):
            if found.key < head:
                continue
            content = objects.get(self._access, self._bucket, found.key) or b"{}"
            record = msgspec.json.decode(content, type=HeadRecord)
            token = token if found.key == head else ""
            head = found.key
            if record.log_stream:
                for page in pages(self._access, record.log_group, record.log_stream, token):
                    self._write(page.lines)
                    token = page.token
        return head, token

    def copy_of(self, group: str, task: str) -> tuple[str, ...]:
        """Copy the whole log of a head that may never have said that it was there; return its last words."""
        lines = [line for page in pages(self._access, group, stream_of(task)) for line in page.lines]
        (self._directory / layout.HEAD_LOG).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return tuple([line for line in lines if line.strip()][-_LAST_WORDS:])

    def _write(self, lines: tuple[str, ...]) -> None:
        with (self._directory / layout.HEAD_LOG).open("a", encoding="utf-8") as log:
            log.writelines(f"{line}\n" for line in lines)
        for line in lines:
            if spoken := _SPOKEN.fullmatch(line):
                self._speak(spoken[1], spoken[2])

    def _speak(self, logger: str, words: str) -> None:
        """Append a call's words to its file; `w:align.t:call-count-0` runs in `call-count-0`."""
        parts = [part.partition(":")[2] for part in logger.split(".")]
        within = "/".join(part for part in parts[1:] if part.startswith("call-"))
        place = self._directory / within
        place.mkdir(parents=True, exist_ok=True)
        name = layout.stream_file("stderr", self._attempts.get(within or ".", 1))
        with (place / name).open("a", encoding="utf-8") as file:
            file.write(f"{words}\n")
