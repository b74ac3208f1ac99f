"""`cromulent run` for who calls it from Python: the same options by the same names, judged by the same parser.

A run here has a process of its own, as on the command line. It is waited for until there is a run, so that whatever
would be refused there is refused here, and leaves as little.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from ..clock import SYSTEM, Clock, local_time
from ..errors import CromulentError, UsageError
from ..storage import layout
from .options import RunOptions
from .run import command

__all__ = ["options_of", "start_here"]

_SAID = "said.txt"
"""In the directory of a run here: what `cromulent run` has said on standard error."""
_LOOK_EVERY = 0.02
"""Seconds. No setting: it ends as soon as the command has said which run it is."""
_ENDS_WITHIN = 30.0
"""Seconds for a run that is told to stop as it begins."""
_LONGEST = 100_000
"""Bytes of inputs in an argument, of which Linux takes 128 KiB."""


def options_of(source: str, on: str, given: Mapping[str, Any]) -> RunOptions:
    """Return the options as the command line has them. Raises UsageError for one that it does not have."""
    arguments = [*_flags({"on": on, **given}), "--", source]
    try:
        options = RunOptions(**command.make_context("run", arguments).params)
    except click.ClickException as error:
        raise UsageError(error.format_message(), hint="options are those of `cromulent run --help`") from error
    options.check_place()
    return options


def _flags(options: Mapping[str, Any]) -> list[str]:
    """Return options as arguments: `no_cache=True` is `--no-cache`."""
    flags = []
    for option, value in options.items():
        flag = f"--{option.replace('_', '-')}"
        if value is True:
            flags.append(flag)
        elif value is not None and value is not False:
            values = value if isinstance(value, (list, tuple)) else [value]
            flags += [f"{flag}={os.fspath(each) if isinstance(each, os.PathLike) else each}" for each in values]
    return flags


def start_here(
    source: str, inputs: str, parent: Path, given: Mapping[str, Any], clock: Clock = SYSTEM
) -> tuple[Path, subprocess.Popen[bytes]]:
    """Start a run on this machine; return its directory and its process, once it has begun.

    Raises UsageError, or CromulentError, with what `cromulent run` says where it refuses; nothing is left then.
    """
    made = _made(parent)
    place = _claimed(parent, source, clock)
    where = {"input": inputs if len(inputs.encode()) < _LONGEST else "-", "dir": f"{place}/."}
    options = _flags({**given, **where})
    program = [sys.executable, "-m", "cromulent_wdl", "run", *options, "--", source]
    with (place / _SAID).open("w", encoding="utf-8") as said, tempfile.TemporaryFile("w+") as read:
        read.write(inputs)
        read.seek(0)
        process = subprocess.Popen(program, stdin=read, stdout=subprocess.DEVNULL, stderr=said)
    try:
        while not (place / layout.JOURNAL).exists():
            if process.poll() is not None and not (place / layout.JOURNAL).exists():
                raise _refusal(place, process.returncode, made)
            clock.sleep(_LOOK_EVERY)
    except KeyboardInterrupt:  # which a notebook's process gets alone
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_WITHIN)
        raise
    return place, process


def _made(parent: Path) -> list[Path]:
    """Return what is to be made for a directory to be there, the innermost first."""
    return [place for place in (parent, *parent.parents) if not place.exists()]


def _claimed(parent: Path, source: str, clock: Clock) -> Path:
    """Make a directory for the run that no other has."""
    parent.mkdir(parents=True, exist_ok=True)
    name = f"{local_time(clock.now()):%Y%m%d_%H%M%S}_{Path(source).name.partition('.')[0]}"
    number = 1
    while True:
        place = parent / (name if number == 1 else f"{name}.{number}")
        try:
            place.mkdir()
            return place
        except FileExistsError:
            number += 1


def _refusal(place: Path, status: int, made: list[Path]) -> CromulentError:
    """Return what `cromulent run` has said in the end as an error, having taken away what was made for the run."""
    text = (place / _SAID).read_text(encoding="utf-8").strip()
    message, _, hint = text.partition("\nhint: ")
    (place / _SAID).unlink()
    with suppress(OSError):  # there is something else in it
        for directory in (place, *made):
            directory.rmdir()
    kind = UsageError if status == UsageError.exit_status else CromulentError
    return kind(message or f"`cromulent run` ended with status {status}", hint=hint or None)
