"""`attach`, `wait` and `stop` of a run whose head is another process of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.programs import ended, kill, running

SLOW = """version 1.1
task slow {
  input { String gate  Boolean fails = false }
  command <<<
    echo begun >&2
    while [ ! -e ~{gate} ]; do sleep 0.05; done
    if ~{fails}; then echo "no luck" >&2; exit 5; fi
    echo through
  >>>
  output { String said = read_string(stdout()) }
}
"""


@dataclass
class Place:
    """A directory with a workflow that waits at a gate, and a home that knows of nothing else."""

    directory: Path
    heads: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.gate = self.directory / "gate"
        (self.directory / "slow.wdl").write_text(SLOW)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("CROMULENT_", "MINIWDL_"))
        }
        homes = {f"XDG_{name}_HOME": str(self.directory / name.lower()) for name in ("STATE", "CACHE")}
        # Without a sandbox, in which the gate would not be seen.
        self.environment = {**inherited, **homes, "CROMULENT_SANDBOX": "never"}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours to its end."""
        command = [sys.executable, "-m", "cromulent_wdl", *arguments]
        return subprocess.run(
            command, cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=60
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of ours in the background."""
        command = [sys.executable, "-m", "cromulent_wdl", *arguments]
        pipe = subprocess.PIPE
        return self.heads.enter_context(
            running(command, cwd=self.directory, env=self.environment, stdout=pipe, stderr=pipe, text=True)
        )

    def head(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run, and return its head once its task runs."""
        head = self.start("run", "slow.wdl", f"gate={self.gate}", "--backend", "process", *arguments)
        assert head.stderr is not None and any(line.startswith("● slow") for line in head.stderr)
        return head

    def open(self) -> None:
        """Let the task go on."""
        self.gate.touch()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with closing(made.heads):
        yield made


def test_attach_follows_to_the_end_and_prints_what_the_run_prints(place: Place) -> None:
    head = place.head()
    follower, waiter = place.start("attach", "last"), place.start("wait", "last")
    assert follower.stderr is not None and any(line.startswith("● slow") for line in follower.stderr)
    place.open()
    out, said = ended(follower)
    assert (follower.returncode, json.loads(out)) == (0, json.loads(ended(head)[0]))
    assert json.loads(out)["outputs"] == {"slow.said": "through"}
    assert said.splitlines()[-1].startswith("✔ slow")
    ended(waiter)
    assert (waiter.returncode, head.returncode) == (0, 0)


def test_attach_of_a_run_that_has_ended_shows_it_again(place: Place) -> None:
    place.open()
    first = place.command("run", "slow.wdl", f"gate={place.gate}", "fails=true", "--backend", "process")
    again = place.command("attach", "last")
    assert (again.returncode, again.stdout) == (first.returncode, first.stdout) == (5, "")
    assert "slow failed: task command failed with exit status 5\n  | begun\n  | no luck\n" in again.stderr
    assert again.stderr.splitlines()[1:] == first.stderr.splitlines()[1:], "but for the heading it says the same"
    assert place.command("wait", "last").returncode == 5
    (run,) = (each.name for each in place.directory.glob("2*_slow"))
    place.command("run", "slow.wdl", f"gate={place.gate}", "--backend", "process")
    older = place.command("attach", run)
    assert f"why     cromulent why {run}\n" in older.stderr, "which is not the last any more"


def test_stop_ends_the_run_and_all_who_follow_it(place: Place) -> None:
    head = place.head()
    follower = place.start("attach", "last")
    assert follower.stderr is not None and any(line.startswith("● slow") for line in follower.stderr)
    stopped = place.command("stop", "last")
    assert stopped.returncode == 0
    assert stopped.stderr.endswith(": stopped\n")
    ended(head)
    ended(follower)
    assert (head.returncode, follower.returncode) == (130, 130)
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(place.gate) in str(each.info["cmdline"])]
    again = place.command("stop", "last")
    assert (again.returncode, again.stderr.endswith("has ended already: stopped\n")) == (0, True)


def test_a_head_that_was_killed_is_nothing_to_wait_for(place: Place) -> None:
    kill(place.head())
    lost = place.command("attach", "last")
    assert (lost.returncode, lost.stdout) == (2, "")
    assert "its head is gone without a word" in lost.stderr
    assert place.command("stop", "last").stderr.endswith("has ended already: lost\n")
