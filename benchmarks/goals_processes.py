"""Goal 7: a hundred short tasks as processes of this machine, with a File output each.

All run with their directories and temporary files in memory. On ext4 the disk would be measured and nothing else: for
some seconds after many files were deleted, as between two measurements, making a file takes it thirty times as long.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace

from .commands import WORKFLOWS, cromulent_run, home
from .environments import CACHE, Absent, cromulent, peer
from .figures import Row
from .measure import Command, Failed, in_turn
from .scale import Scale

__all__ = ["in_memory", "processes"]


def processes(scale: Scale) -> list[Row]:
    """Measure ours, plain and sandboxed, beside cwltool, Snakemake and Toil."""
    count = scale.size(100, 10)
    engine = cromulent()
    arguments = [str(WORKFLOWS / "files.wdl"), f"count={count}", "--backend", "process"]
    plain = cromulent_run(f"{count} processes", engine, arguments, {"CROMULENT_SANDBOX": "never"})
    sandboxed = cromulent_run(f"{count} sandboxed", engine, arguments, {"CROMULENT_SANDBOX": "always"})
    return [
        _beside(plain, lambda: _cwltool(count), 0.45, scale.times),
        _beside(plain, lambda: _snakemake(count), 0.30, scale.times),
        _beside(sandboxed, lambda: plain, 1.25, scale.times),
        _beside(plain, lambda: _toil(count), None, 1),
    ]


def _beside(ours: Command, other: Callable[[], Command], limit: float | None, times: int) -> Row:
    """Measure one pair; a peer that is not there or does not work makes a row that says so."""
    try:
        theirs = other()
        found = in_turn([in_memory(ours), in_memory(theirs)], times, warm=times > 1)
    except (Absent, Failed) as error:
        return Row(7, ours.name, "s", limit=limit, missing=str(error))
    return Row(7, ours.name, "s", found[ours.name].wall, theirs.name, found[theirs.name].wall, limit)


def in_memory(command: Command) -> Command:
    """Return the command with its directories and temporary files in memory."""
    return replace(command, in_memory=True, environment={**command.environment, "TMPDIR": "{place}"})


def _cwltool(count: int) -> Command:
    program = [peer("cwltool").program("cwltool"), "--parallel", "--no-container", "--outdir", "{place}/files"]
    return Command("cwltool --parallel", [*program, *_cwl(count)], home(), shows=f"{count - 1}.txt")


def _snakemake(count: int) -> Command:
    program = [peer("snakemake").program("snakemake"), "--cores", "all", "--directory", "{place}"]
    arguments = ["--snakefile", str(WORKFLOWS / "files.smk"), "--config", f"count={count}"]
    return Command("snakemake --cores all", [*program, *arguments], home())


def _toil(count: int) -> Command:
    toil = peer("toil[cwl]")
    program = [toil.program("toil-cwl-runner"), "--no-container", "--jobStore", "{place}/store"]
    on_path = {"PATH": f"{toil.program('')}:{os.environ['PATH']}"}  # it starts programs of its own
    arguments = [*program, "--outdir", "{place}/files", *_cwl(count)]
    return Command("toil-cwl-runner", arguments, home() | on_path, shows=f"{count - 1}.txt")


def _cwl(count: int) -> list[str]:
    inputs = CACHE / f"numbers-{count}.json"
    inputs.write_text(json.dumps({"numbers": list(range(count))}))
    return [str(WORKFLOWS / "files.cwl"), str(inputs)]
