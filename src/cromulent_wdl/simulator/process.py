"""Starts a simulator's process and sees that nothing outlives it, however this process ends.

The process that starts it is a head (`backends/heads.py`): all that the simulator starts carries its id, so what a
sudden death leaves is cleaned up at once by the guardian, or else when the next head begins.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from importlib import util
from pathlib import Path

import msgspec

from ..backends.aftermath import remove_scratch, sweep
from ..backends.heads import MARK, Head, scratch_prefix
from .errors import NotInstalled, SimulatorFailed
from .settings import HOST, REGION, Settings

__all__ = ["FOREIGN", "Simulation", "require_installed"]

FOREIGN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""Variables that would lead a client past the simulator; whoever uses one must not have them."""

_PATIENCE = 30.0
"""Seconds for which an ending simulator may stop tasks."""


class Simulation:
    """A simulator that runs; make one by `start`, and close it."""

    def __init__(self, head: Head, process: subprocess.Popen[bytes], directory: Path, settings: Settings) -> None:
        self._head = head
        self._process = process
        self._directory = directory
        self._settings = settings
        self.port = 0

    @classmethod
    def start(cls, settings: Settings) -> Simulation:
        """Start a simulator and return it when it answers. Raises NotInstalled, SimulatorFailed."""
        require_installed()
        sweep()
        head = Head.open("simulator", Path.cwd())
        try:
            head.guard()
            head.expect_strays()
            directory = Path(tempfile.mkdtemp(prefix=scratch_prefix(head.id)))
            directory.chmod(0o711)  # an access point's user must reach the file systems in it
            simulation = cls(head, _launch(head, directory), directory, replace(settings, owner=head.id))
        except BaseException:
            head.close()
            raise
        try:
            simulation.port = simulation._greet()
        except BaseException:
            simulation.close()
            raise
        return simulation

    @property
    def address(self) -> str:
        """The simulator's URL."""
        return f"http://{HOST}:{self.port}"

    @property
    def files(self) -> Path:
        """Where its EFS file systems lie on this machine, each a directory named by its id."""
        return self._directory / "efs"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that lead every AWS client to the simulator, as its root."""
        root = self._settings.root
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": root.key,
            "AWS_SECRET_ACCESS_KEY": root.secret,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a command among whose AWS clients none can miss the simulator, and which ends with it. Raises OSError.

        It is in our process group, so that it has the terminal; the guardian ends whole groups, so it has no mark.
        """
        inherited = {name: value for name, value in os.environ.items() if not _leads_past(name)}
        child = subprocess.Popen(command, env={**inherited, **self.environment})
        self._tell({"ward": child.pid})
        return child

    def wait(self) -> None:
        """Return when the simulator has ended."""
        self._process.wait()

    def close(self) -> None:
        """End the simulator and all that it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._head.close()
        remove_scratch(self._directory)

    def _greet(self) -> int:
        """Tell the process its settings and return the port that it answers."""
        assert self._process.stdout is not None
        self._tell(self._settings)
        for line in self._process.stdout:
            answer = json.loads(line)
            if "port" in answer:
                return int(answer["port"])
            if "engine" in answer:
                self._head.uses_engine(*answer["engine"])
            else:
                raise SimulatorFailed(f"the simulator did not start: {answer['error']}", hint=answer["hint"])
        raise SimulatorFailed("the simulator died while it started")

    def _tell(self, words: object) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(words) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died, which is noticed elsewhere


def require_installed() -> None:
    """Raise NotInstalled where the package's extra is missing."""
    if util.find_spec("ministack") is None:
        raise NotInstalled("the simulator is not installed", hint="pip install 'cromulent-wdl[simulator]'")


def _launch(head: Head, directory: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cromulent_wdl.simulator.server"],
        env={**environment, MARK: head.id, "TMPDIR": str(directory)},
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the command
    )


def _leads_past(name: str) -> bool:
    return name in FOREIGN or name.startswith("AWS_ENDPOINT_URL")
