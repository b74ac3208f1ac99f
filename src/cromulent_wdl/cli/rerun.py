"""`cromulent rerun`: a run again, with its own inputs and with what is to be different."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from ..errors import InputsError, RunNotFound
from ..model import RunStarted
from ..runs.watch import Watch
from ..storage import layout
from . import ui
from .completing import complete_run, complete_word
from .deployment import where
from .finding import find, in_cloud
from .options import RunOptions
from .quantities import dollars

__all__ = ["command"]


@click.command("rerun")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--runtime", multiple=True, metavar="CALL.KEY=VALUE", help="Ask for something else: 'align.memory=32 GB'."
)
@click.option("--backend", metavar="NAME", shell_complete=complete_word, help="Where tasks run.  [default: as before]")
@click.option(
    "--max-cost",
    callback=dollars,
    metavar="DOLLARS",
    help="Launch no Fargate task once the new run has cost so much.",
)
@click.option("--no-cache", is_flag=True, help="Do everything again, also what was done.")
@click.option("--secret", multiple=True, metavar="TASK.NAME=ARN", help="As `run` takes it; runs here forget it.")
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
    options = RunOptions(
        source="",
        inputs=(*inputs, *(_override(each, started) for each in runtime)),
        **{name: given[name] for name in ("no_cache", "max_cost", "secret", "backend", "detach", "download")},
        **flags,
    )
    if in_cloud(directory):
        options = replace(options, on="aws")
    options.check_place()
    if options.on == "aws":
        return _in_cloud(directory, options)
    from .runner import run as run_here

    return run_here(
        replace(
            options,
            source=_source(directory, started),
            input_file=_inputs(directory),
            task=started.name if started.kind == "task" else None,
            directory=str(directory.parent),
            backend=options.backend or started.backend,
        )
    )


def _in_cloud(directory: Path, options: RunOptions) -> int:
    """Run a run in the cloud again where it ran, with the inputs and options that it was started with, from the bucket.

    Those in its run directory are places on the shared disk, which nobody but its head has.
    """
    from ..runs.mirror import run_in
    from .bundle_again import requested, source_in
    from .carrying import carried_on
    from .cloud import run_in_cloud

    before = run_in(directory)
    options = replace(
        options,
        deployment=options.deployment or before.deployment,
        profile=options.profile or before.profile or None,
        region=options.region or before.region or None,
    )
    here = Path(before.source).is_file()
    changed = options.inputs or options.no_cache or options.max_cost or options.secret
    asked, bundle, archive = requested(directory)
    if not here and not changed and not bundle.options.get("no_cache"):
        return _bundle_again(directory, options)
    source = before.source if here or "://" in before.source else source_in(directory, bundle, archive)
    options = replace(options, source=source, path=before.paths if here else ())
    given = replace(options, input_file=json.dumps(dict(bundle.inputs)), task=bundle.task or None)
    return run_in_cloud(carried_on(given, bundle, asked))


def _bundle_again(directory: Path, options: RunOptions) -> int:
    """Start a run in the cloud again whose source is not here."""
    from .bundle_again import start_again
    from .cloud_follow import follow

    flags = {"deployment": options.deployment, "profile": options.profile, "region": options.region}
    started, access = start_again(directory, flags)
    if options.detach:
        ui.data(started.run)
        return 0
    return follow(started, options, access)


def _source(directory: Path, started: RunStarted) -> str:
    """Return the source where it lies, since it may have been mended; else the run's copy of it."""
    copy = directory / layout.SOURCE / Path(started.source).name
    for path in (Path(started.source), copy):
        if path.is_file():
            return str(path)
    if started.source.startswith(("http:", "https:")):
        return started.source
    raise RunNotFound(f"the source of {directory.name} is gone: {started.source}", hint="run it by `cromulent run`")


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
