"""One started command: wait for its end, or end it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from ...clock import SYSTEM, Clock

__all__ = ["Command", "End", "Running", "start"]

_PAUSE = 0.005
_LAST_WAIT = 5.0
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Command(msgspec.Struct, frozen=True):
    """What to start."""

    line: tuple[str, ...]
    work: Path
    stdout: Path
    stderr: Path
    environment: Mapping[str, str]
    sandbox: Callable[[int], list[str]] | None = None
    """Makes what comes before the line, given the descriptor on which bubblewrap reports."""
    joining: tuple[str, ...] = ()
    """What comes before all that: joins the task's memory group."""


class End(msgspec.Struct, frozen=True):
    """How a command ended."""

    exit_code: int
    """128 + n for one that signal n ended."""
    stopped: bool
    """It was told to stop before it ended."""
    never_ran: bool
    """The sandbox could not be set up."""
    cpu_seconds: float
    memory_peak: int | None
    """Of the largest process; None where that was no larger than ourselves, which the kernel cannot tell apart."""
    sandbox_failure: str = ""
    """Why, in bubblewrap's words."""


class Running:
    """A command under way, in a session of its own; sandboxed, its first process is the sandbox's `init`."""

    def __init__(self, process: subprocess.Popen[bytes], report: int, sandboxed: bool) -> None:
        self.pid = process.pid
        self._told_to_stop = False
        self._process = process
        self._report = report
        self._reported = b""
        self._sandboxed = sandboxed
        self._lock = threading.Lock()
        self._over = False

    def terminate(self) -> None:
        """Ask the command to end; nothing happens if it has ended."""
        self._told_to_stop = self._signal(signal.SIGTERM) or self._told_to_stop

    def kill(self) -> None:
        """End the command and all that is in its group or its sandbox; nothing happens if it has ended."""
        self._told_to_stop = self._signal(signal.SIGKILL) or self._told_to_stop

    def wait(self, clock: Clock) -> End:
        """Wait for the end, blocked; then end what the command left in its group, and return when all is gone."""
        if hasattr(os, "waitid"):  # macOS has it since Python 3.13
            # It is left unreaped, so that nobody else can have got its process id when the group is killed.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._over = True
        _signal_group(self.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self._process.returncode = code  # for Popen, which did not see it
        self._await_rest(code, clock)
        peak = usage.ru_maxrss * _MAXRSS_UNIT
        ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
        return End(
            exit_code=code if code >= 0 else 128 - code,
            stopped=self._told_to_stop,
            never_ran=self._sandboxed and code == 1 and self._figure("exit-code") is None,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            memory_peak=peak if peak > ours else None,
        )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:  # something failed on our side while it ran
            self.kill()
            self.wait(SYSTEM)
        os.close(self._report)

    def _signal(self, number: signal.Signals) -> bool:
        with self._lock:
            if self._over:
                return False
            inner = self._figure("child-pid") if self._sandboxed else None
            if inner is None:
                _signal_group(self.pid, number)
            elif number == signal.SIGKILL:
                _signal_process(inner, number)  # the kernel ends the whole sandbox with its init
            elif not _signal_group(inner, number):  # not bubblewrap's own: with that the whole sandbox would die
                _signal_process(inner, signal.SIGKILL)  # still being set up; the command has not begun
            return True

    def _await_rest(self, code: int, clock: Clock) -> None:
        """Wait until nothing is left of the group, which is killed, nor of a sandbox whose bubblewrap was killed."""
        inner = self._figure("child-pid") if self._sandboxed and code < 0 else None
        if inner is not None:
            _signal_process(inner, signal.SIGKILL)
        deadline = clock.monotonic() + _LAST_WAIT
        while _is_alive(self.pid, inner) and clock.monotonic() < deadline:
            clock.sleep(_PAUSE)  # what outlasts this is in the kernel's hands, and dies when it returns from there

    def _figure(self, name: str) -> int | None:
        """Return a number that the sandbox has reported by now."""
        with suppress(BlockingIOError):
            while chunk := os.read(self._report, 4096):
                self._reported += chunk
        for line in self._reported.splitlines():
            with suppress(ValueError):
                record = json.loads(line)
                if name in record:
                    return int(record[name])
        return None


def start(command: Command) -> Running:
    """Start the command. Raises OSError."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    sandbox = command.sandbox(write_end) if command.sandbox else []
    try:
        with open(command.stdout, "ab", 0) as stdout, open(command.stderr, "ab", 0) as stderr:
            process = subprocess.Popen(
                [*command.joining, *sandbox, *command.line],
                cwd=command.work,
                env=command.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(write_end,) if sandbox else (),
                start_new_session=True,
            )
    except OSError:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    return Running(process, read_end, bool(sandbox))


def _signal_group(group: int, number: int) -> bool:
    """Send the signal, or nothing for 0, and return whether the group is there."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return sys.platform != "darwin"  # which says so of a group that is dead but not reaped
    return True


def _signal_process(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _is_alive(group: int, process: int | None) -> bool:
    """Tell whether anything in the group, or the process, is more than a corpse that nobody has fetched yet."""
    if process is None and not _signal_group(group, 0):
        return False
    import psutil

    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if (pid == process or os.getpgid(pid) == group) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return True
    return False
