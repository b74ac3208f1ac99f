"""Ctrl-C is never lost, and never falls into the middle of something."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from cromulent_wdl.cli.interrupts import Interrupts
from tests.programs import on_a_terminal

ASKS = """
import click, os
from cromulent_wdl.cli import ui
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for number in range(15):
    try:
        ui.confirm(f"Number {number}?")
    except click.Abort:
        ui.note(f"left {number}.")
"""


@pytest.fixture(autouse=True)
def python_s_own() -> Iterator[None]:
    """Give Ctrl-C back to pytest."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def test_what_is_pressed_while_something_is_done_is_heeded_after_it() -> None:
    with Interrupts() as interrupts:
        with interrupts.welcome():
            pass
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), interrupts.welcome():
            raise AssertionError("it was let go on")
        with interrupts.welcome():
            pass  # it was pressed once


def test_what_is_pressed_while_one_waits_is_heeded_at_once() -> None:
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.welcome():
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it was let go on")


def test_what_takes_too_long_is_left_when_it_is_pressed_again() -> None:
    with Interrupts():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_what_is_started_deaf_to_it_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts() as interrupts, interrupts.welcome():
        signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, signal.default_int_handler) is signal.SIG_IGN


@pytest.mark.skipif(sys.platform == "darwin", reason="a process cannot be held on one core there")
def test_a_question_is_left_however_soon_it_is_pressed() -> None:
    """On one core whoever sees the question presses before the one who asks has begun to wait."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})
    try:
        with on_a_terminal([sys.executable, "-c", ASKS]) as terminal:
            for number in range(15):
                terminal.hear(f"Number {number}? [y/N]")
                terminal.process.send_signal(signal.SIGINT)
                terminal.hear(f"left {number}.", 20)
    finally:
        os.sched_setaffinity(0, mine)
