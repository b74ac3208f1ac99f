"""A head in a process of its own, to be killed while its tasks run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from cromulent_wdl.backends.aftermath import CleanedUp, sweep
from cromulent_wdl.backends.heads import scratch_prefix
from cromulent_wdl.backends.leases import Machine
from cromulent_wdl.backends.strays import strays
from tests.fakes.waiting import eventually

__all__ = ["DETACHED", "KilledHead", "sleeping"]

DETACHED = "setsid sh -c 'setsid sleep 600 & sleep 601' & sleep 602"
"""A command with a grandchild in a session of its own."""


def sleeping(head: str) -> set[str]:
    """Return for how many seconds those of a head's processes sleep that have got so far."""
    lines = []
    for process in strays(head):
        with suppress(psutil.Error):
            lines.append(process.cmdline())
    return {line[1] for line in lines if line[:1] == ["sleep"]}


class KilledHead:
    """Two tasks of a core each on a head that can be killed, with or without its guardian."""

    def __init__(self, directory: Path, sandbox: str, *commands: str) -> None:
        (directory / "tmp").mkdir(parents=True)
        program = [sys.executable, "-m", "tests.fakes.head_program", str(directory), sandbox, *commands]
        environment = {**os.environ, "TMPDIR": str(directory / "tmp")}
        self._head = subprocess.Popen(program, stdout=subprocess.PIPE, env=environment, cwd=Path(__file__).parents[2])
        assert self._head.stdout is not None
        with self._head.stdout as stdout:
            self.id = stdout.readline().decode().strip()
        self.machine = Machine()
        self.entry = self.machine.directory / self.id
        self._directory = directory
        wanted = set(re.findall(r"sleep (\d+)", " ".join(commands)))
        assert eventually(lambda: sleeping(self.id) == wanted), "not all has been started that will be"

    def processes(self) -> int:
        return len(strays(self.id))

    def cores_held(self) -> int:
        held = self.machine.others("").get(self.id)
        return held.cores if held else 0

    def kill_guardian(self) -> None:
        (guardian,) = [
            child for child in psutil.Process(self._head.pid).children() if str(self.entry) in child.cmdline()
        ]
        guardian.kill()
        assert eventually(lambda: not guardian.is_running() or guardian.status() == psutil.STATUS_ZOMBIE)

    def kill_head(self) -> None:
        self._head.send_signal(signal.SIGKILL)
        self._head.wait(60)

    def expect_nothing_left(self) -> None:
        """Fail unless everything is gone in seconds: processes, reservations, temporary files."""
        assert eventually(lambda: not strays(self.id), 20), strays(self.id)
        assert eventually(lambda: self.cores_held() == 0, 20)
        left = list((self._directory / "tmp").glob(f"{scratch_prefix(self.id)}*"))
        assert eventually(lambda: not left or not left[0].exists(), 20)

    def sweep(self) -> CleanedUp:
        (cleaned,) = self.sweep_all()
        return cleaned

    def sweep_all(self) -> tuple[CleanedUp, ...]:
        return sweep()
