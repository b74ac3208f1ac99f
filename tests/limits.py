"""Nothing hangs in silence: what takes too long is ended, and named.

Three nets, each for what the one before lets through:

- A test may take `timeout` seconds (pyproject.toml). Then all programs that it started are killed, whatever it waits
  for in them, and it fails with the stacks of its threads.
- Where it hangs nevertheless, in a thread of ours or in what it does at its end, pytest is ended after
  `faulthandler_timeout` seconds.
- `python -m tests.machine --minutes N` tells pytest to end by SIGTERM. Then the tests that run are named, with the
  stacks of all threads, and what was seen until then is summed up.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import psutil
import pytest

from cromulent_wdl.clock import SYSTEM

__all__: list[str] = []

_SLOW = 1.0
"""Seconds from which on it is told beside a test's name how long it took."""
_spared = pytest.StashKey[frozenset[int]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Note what runs before what the test asks for is set up: it belongs to others."""
    item.stash[_spared] = _children()
    yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Note what runs when the test itself begins: it may belong to other tests as well."""
    item.stash[_spared] = _children()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item) -> Generator[None, object, object]:
    """Have the test's programs killed before it fails for want of time, so that nothing can wait for them."""
    result = yield
    fail = signal.getsignal(signal.SIGALRM)
    assert callable(fail)

    def end(number: int, frame: FrameType | None) -> None:
        _kill_all_but(item.stash.get(_spared, _children()))
        fail(number, frame)

    signal.signal(signal.SIGALRM, end)
    return result


def _children() -> frozenset[int]:
    """Return the programs that this process has started, as Linux tells them quickly."""
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except FileNotFoundError:
        return frozenset()
    return frozenset(map(int, listed.split()))


def _kill_all_but(spared: frozenset[int]) -> None:
    for child in psutil.Process().children():
        if child.pid not in spared:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in [child, *child.children(recursive=True)]:
                    process.kill()


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
    """Say beside the name of a test that passed how long it took, where that is long."""
    if isinstance(report, pytest.TestReport) and report.when == "call" and report.passed and report.duration >= _SLOW:
        return "passed", ".", f"PASSED in {report.duration:.1f} s"
    return None


def pytest_configure(config: pytest.Config) -> None:
    """Listen to SIGTERM; and have tests' programs listen to what a shell's `&`, or `nohup`, makes them deaf to."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    running = _Running(config)
    config.pluginmanager.register(running)
    signal.signal(signal.SIGTERM, running.end)
    faulthandler.register(signal.SIGTERM, file=running.stderr, chain=True)


class _Running:
    """The tests that run, to be named when pytest is told to end."""

    def __init__(self, config: pytest.Config) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            self.stderr = os.dup(2)  # where nothing captures it
        self._shared = config.getoption("dist", "no") != "no"
        self._since: dict[str, float] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Remember a test that begins, here or in a worker."""
        self._since[nodeid] = SYSTEM.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Forget it."""
        self._since.pop(nodeid, None)

    def end(self, number: int, frame: FrameType | None) -> None:
        """Name what runs, and leave."""
        now = SYSTEM.monotonic()
        tests = ", ".join(f"{name} ({now - since:.0f} s)" for name, since in self._since.items()) or "no test"
        os.write(self.stderr, f"\nTold to end while this ran: {tests}\n".encode())
        if self._shared:
            for worker in psutil.Process().children():
                worker.send_signal(number)  # it writes down its stacks, too
        pytest.exit(f"told to end while this ran: {tests}")  # with no status of its own it sums up what was seen
