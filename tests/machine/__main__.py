"""Run one command with the engines that tests need. See the package."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from tests import checkov

from . import debian

PREFIX = "cromulent-engines-"
CGROUPS = Path("/sys/fs/cgroup")
# Processes, mounts and a loopback of their own, which the kernel ends with the first process; that ends when we do,
# however we do.
NAMESPACES = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--net"]
CACHE = Path(__file__).parents[2] / ".cache" / "heads" / "cromulent" / "environments"
NODE = Path(__file__).parents[2] / ".cache" / "npm"
SECONDS_TO_SAY = 45
"""For the last words of what is ended."""
TOO_LONG = 124
QUIETLY = ("--silent", "--no-fund", "--no-audit")
WHEELS = """\
import pathlib, sys
from cromulent_wdl.submit.environment import gather
place = pathlib.Path(sys.argv[1])
place.mkdir(parents=True, exist_ok=True)
gather(place)
"""
VARIANTS_IMAGE = Path(__file__).parents[2] / "examples" / "variants" / "image" / "build"


def main(command: list[str], minutes: float | None) -> int:
    """Run the command, with engines of its own where this user may start them, and return its exit status."""
    seconds = None if minutes is None else minutes * 60
    reason = _refusal()
    if reason and os.environ.get("CI") == "true":
        say(f"{reason}; in CI the engines must be there already.")
    elif reason:
        say(f"{reason}: tests that need an engine use those that are here, or are left out.")
    if reason:
        return _wait(subprocess.Popen(command), seconds, told=lambda process: process)
    try:
        installed = debian.install_missing()
    except subprocess.CalledProcessError as error:
        say(f"apt-get could not install what the tests need (status {error.returncode}).")
        return 1
    if installed:
        say(f"installed {' '.join(installed)}")
    # Ctrl-C reaches the command by itself, and what ends here is ended there.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, _leave)
    with _directory() as directory:
        with (directory / "variants.tar").open("wb") as out:  # here, since apt cannot be reached from inside
            subprocess.run([VARIANTS_IMAGE], stdout=out, check=True)
        if shutil.which("npm"):
            subprocess.run(["npm", "install", *QUIETLY, "--prefix", NODE, "asl-validator@4.0.0"], check=True)
        subprocess.run([sys.executable, "-c", WHEELS, str(CACHE)], check=True)  # nor a package index
        checkov.environment()
        inside = ["tini", "--", sys.executable, "-m", "tests.machine.inside", str(directory), *command]
        return _wait(subprocess.Popen([*NAMESPACES, *inside]), seconds, told=_first_inside)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _wait(process: subprocess.Popen[bytes], seconds: float | None, told: Callable[[Any], Any]) -> int:
    """Return the command's exit status. Where it takes too long, or we are ended, tell it first, then kill it."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        say(f"it takes longer than {(seconds or 0) / 60:.0f} minutes, and is ended.")
        return TOO_LONG
    finally:
        if process.poll() is None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                told(process).terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS_TO_SAY)
        process.kill()


def _first_inside(process: subprocess.Popen[bytes]) -> psutil.Process:
    """Return what tells the command of signals: the first process in the namespaces, for `unshare` heeds none."""
    return next(iter(psutil.Process(process.pid).children()), psutil.Process(process.pid))


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stderr.write(f"tests.machine: {text}\n")


def _refusal() -> str | None:
    if os.geteuid() != 0:
        return "not root, so no engines are started"
    if not debian.is_debian():
        return "neither Debian nor Ubuntu, so no engines are started"
    if subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode != 0:
        return "no namespaces may be made here, so no engines are started"
    return None


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    """Give the engines a directory, and remove it at the end; first remove those that killed runs have left."""
    for other in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (other / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(other)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    directory.chmod(0o711)  # some tests are an ordinary user, who must reach the sockets
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield directory
        finally:
            _remove(directory)


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    for tree in _cgroups(directory.name):
        for path, _, _ in os.walk(tree, topdown=False):
            _remove_empty(path)
    for tree in _cgroups("libpod_parent"):  # Podman's, which another Podman may be using
        _remove_empty(tree)


def _cgroups(name: str) -> list[Path]:
    """Return the control groups of that name: version 1 has a tree for each controller, version 2 one for all."""
    return [*CGROUPS.glob(name), *CGROUPS.glob(f"*/{name}")]


def _remove_empty(cgroup: str | Path) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(cgroup)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("tests.machine")
    parser.add_argument("--minutes", type=float, help="end the command when it has taken so long")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    sys.exit(main(given.command, given.minutes))
