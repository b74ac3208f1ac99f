"""`cromulent rerun`: a run again, with its own inputs and with what is to be different."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..errors import InputsError, RunNotFound
from ..model import RunStarted
from ..runs.watch import Watch
from . import ui
from .completing import complete_run
from .deployment import where
from .finding import find, in_cloud
from .options import RunOptions

__all__ = ["command"]


@click.command("rerun")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--runtime", multiple=True, metavar="CALL.KEY=VALUE", help="Ask for something else: 'align.memory=32 GB'."
)
@click.option("--backend", metavar="NAME", help="Where tasks run.  [default: as before]")
@click.option(
    "--max-cost",
    type=click.FloatRange(0, min_open=True),
    metavar="DOLLARS",
    help="Launch no Fargate task once the new run has cost so much.",
)
@click.option("--no-cache", is_flag=True, help="Do everything again, also what was done.")
@click.option("--secret", multiple=True, metavar="TASK.NAME=ARN", help="As `run` takes it, which is not remembered.")
@click.option("--detach", is_flag=True, help="Of a run in the cloud: print the run id and leave.")
@click.option("--download", metavar="DIR", help="Of a run in the cloud: bring the outputs home.")
@where
def command(run: str, inputs: tuple[str, ...], runtime: tuple[str, ...], **given: Any) -> int:
    """Run a run's workflow again with the same inputs, where it ran: what was done comes from the call cache.

    The source is read anew, so mend it first where it was at fault. Inputs may be given otherwise, and so may what a
    call asks for. RUN is `last` when left out.
    """
    flags = {name: given[name] for name in ("deployment", "profile", "region")}
    directory = find(run, flags)
    started = Watch(directory).status().started
    if started is None:
        raise RunNotFound(f"{directory.name} has not begun, so nothing is known of it")
    cloud = in_cloud(directory)
    changed = inputs or runtime or given["no_cache"] or given["max_cost"] or given["secret"]
    if cloud and not Path(_source_of_cloud(directory)).is_file() and not changed:
        return _bundle_again(directory, flags, given)
    options = RunOptions(
        source=_source(directory, started),
        inputs=(*inputs, *(_override(each, started) for each in runtime)),
        input_file=_inputs(directory),
        task=started.name if started.kind == "task" else None,
        directory=None if cloud else str(directory.parent),
        no_cache=given["no_cache"],
        max_cost=given["max_cost"],
        secret=given["secret"],
        backend=given["backend"] or (None if cloud else started.backend),
        on="aws" if cloud else "here",
        detach=given["detach"],
        download=given["download"],
        **flags,
    )
    if cloud:
        from .cloud import run_in_cloud

        return run_in_cloud(options)
    from .runner import run as run_here

    return run_here(options)


def _bundle_again(directory: Path, flags: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """Start a run in the cloud again whose source is not here."""
    from .bundle_again import start_again
    from .cloud_follow import follow

    started, access = start_again(directory, flags)
    if given["detach"]:
        ui.data(started.run)
        return 0
    return follow(started, RunOptions(source="", download=given["download"]), access)


def _source(directory: Path, started: RunStarted) -> str:
    """Return the source where it lies, since it may have been mended; else the run's copy of it."""
    source = _source_of_cloud(directory) or started.source
    copy = directory / "wdl" / Path(source).name
    for path in (Path(source), copy):
        if path.is_file():
            return str(path)
    if source.startswith(("http:", "https:")):
        return source
    raise RunNotFound(f"the source of {directory.name} is gone: {started.source}", hint="run it by `cromulent run`")


def _source_of_cloud(directory: Path) -> str:
    """Return where the source of a run in the cloud lies here; empty for a run here, or one that others started."""
    if not in_cloud(directory):
        return ""
    import msgspec

    from ..runs.mirror import CloudRun
    from ..storage import layout

    return msgspec.json.decode((directory / layout.CLOUD).read_bytes(), type=CloudRun).source


def _inputs(directory: Path) -> str | None:
    path = directory / "inputs.json"
    return str(path) if path.is_file() else None


def _override(text: str, started: RunStarted) -> str:
    """Return `align.memory=32 GB` as the input that it is: `align.runtime.memory=32 GB`."""
    name, equals, value = text.partition("=")
    call, _, key = name.rpartition(".")
    if not equals or not key or (not call and started.kind != "task"):
        raise InputsError(f"'{text}' is not understood", hint="write it like --runtime 'align.memory=32 GB'")
    return f"{call}.runtime.{key}={value}" if call else f"runtime.{key}={value}"
