"""`cromulent attach`: follows a run that goes on, as if one had never left."""

from __future__ import annotations

from typing import Any

import click

from .completing import complete_run, complete_word
from .deployment import where
from .finding import find, in_cloud
from .options import RunOptions
from .result_file import result_file

__all__ = ["command"]


@click.command("attach")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@click.option("-v", "--verbose", is_flag=True, help="Show the log, with the tasks' standard error.")
@click.option(
    "--progress", metavar="auto|live|plain|json", shell_complete=complete_word,
    help="How the run is shown on standard error.",
)  # fmt: skip
@click.option("--download", metavar="DIR", help="Of a run in the cloud: bring the outputs home.")
@result_file
@where
def command(run: str, **given: Any) -> int:
    """Follow a run to its end, from wherever you are, and print its result as `cromulent run` does.

    RUN is a run id or the beginning of one, a directory, or `last`. A run of somebody else's in the same deployment
    is found by its whole id. The exit status is that of the run.
    """
    options = RunOptions(source="", **given)
    directory = find(run, {name: given[name] for name in ("deployment", "profile", "region")})
    if in_cloud(directory):
        from ..runs.mirror import Mirror
        from .cloud_follow import follow

        mirror = Mirror(directory)
        return follow(mirror.run, options, mirror.access)
    from .local_follow import follow_here

    return follow_here(directory, options)
