"""Attempts on a shared disk, and their wrapper run by the shells of this machine as a container would run it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.backends.fargate.wrapper import NO_LIMITS, Attempt, Limits, Result, prepare_attempt, read_result
from cromulent_wdl.model import Task
from tests.fakes.process_tasks import process_task

__all__ = ["SHELLS", "Bench", "run_task"]

SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}


def run_task(run: Path, call: str, command: str, **fields: Any) -> Task:
    """Return a task of a run, in its directory, with its empty streams as miniwdl makes them."""
    task = process_task(run / call, command, **{"run_directory": run, "shell": "/bin/sh", **fields})
    for stream in (task.stdout, task.stderr):
        stream.touch()
    return task


@dataclass(frozen=True)
class Bench:
    """Runs commands by the wrapper in one shell; `prefix` comes before the shell's words."""

    shell: str
    run: Path
    prefix: tuple[str, ...] = ()

    def words(self, attempt: Attempt) -> list[str]:
        """Return the container's command line."""
        words = SHELLS[self.shell]
        found = shutil.which(words[0])
        if found is None:
            pytest.skip(f"no {words[0]} here")
        return [*self.prefix, found, *words[1:], str(attempt.script)]

    @property
    def said(self) -> bytes:
        """What containers said on their own streams."""
        return self._streams.read_bytes()

    @property
    def _streams(self) -> Path:
        return self.run.with_name("said")

    def start(self, attempt: Attempt, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a container of the attempt."""
        given = {"PATH": "/usr/bin:/bin", **(environment or {})}
        with self._streams.open("ab") as said:
            return subprocess.Popen(
                self.words(attempt), cwd="/", env=given, stdout=said, stderr=said, stdin=subprocess.DEVNULL
            )

    def attempt(self, command: str, limits: Limits = NO_LIMITS, key: str = "k", **fields: Any) -> tuple[Task, Attempt]:
        """Prepare an attempt at the command."""
        task = run_task(self.run, f"call-{key}", command, **fields)
        return task, prepare_attempt(task, key, limits)

    def end(self, command: str, limits: Limits = NO_LIMITS, **fields: Any) -> tuple[Task, Result]:
        """Run the command to its end and return what it left."""
        task, attempt = self.attempt(command, limits, **fields)
        process = self.start(attempt)
        status = process.wait(60)
        result = read_result(attempt)
        assert result is not None, self.said
        assert status == result.exit_code
        return task, result
