"""Goals 1 and 2: how soon there is an answer when no task runs."""

from __future__ import annotations

from .commands import WORKFLOWS, home
from .environments import cromulent, miniwdl
from .figures import Row
from .measure import Command, in_turn
from .scale import Scale

__all__ = ["checking", "starting"]

_MORE = 3
"""These commands are over in a moment, so they are measured so many times more often."""
_COMPLETION = {"_CROMULENT_COMPLETE": "bash_complete", "COMP_WORDS": "cromulent ru", "COMP_CWORD": "1"}


def starting(scale: Scale) -> list[Row]:
    """Measure `--help`, `--version` and completion beside `miniwdl --help`."""
    program = cromulent().program("cromulent")
    peer = Command("miniwdl --help", [miniwdl().program("miniwdl"), "--help"], home(), shows="usage")
    ours = [
        Command("cromulent --help", [program, "--help"], home(), shows="Usage"),
        Command("cromulent --version", [program, "--version"], home(), shows="cromulent"),
        Command("completion of a command", [program], home() | _COMPLETION, shows="run"),
    ]
    cpu = {name: samples.cpu for name, samples in in_turn([peer, *ours], _MORE * scale.times).items()}
    return [Row(1, each.name, "s CPU", cpu[each.name], peer.name, cpu[peer.name], 0.25) for each in ours]


def checking(scale: Scale) -> list[Row]:
    """Measure `check` of a small document."""
    source = str(WORKFLOWS / "tiny.wdl")
    ours = Command("cromulent check tiny.wdl", [cromulent().program("cromulent"), "check", source], home(), "tiny.wdl")
    peer = Command("miniwdl check", [miniwdl().program("miniwdl"), "check", source], home(), "tiny.wdl")
    cpu = {name: samples.cpu for name, samples in in_turn([ours, peer], _MORE * scale.times).items()}
    return [Row(2, ours.name, "s CPU", cpu[ours.name], peer.name, cpu[peer.name], 0.55)]
