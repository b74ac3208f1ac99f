"""`cromulent outputs`: the outputs of a run that has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..runs.removal import noted
from . import ui
from .completing import complete_run
from .deployment import where
from .finding import find, in_cloud
from .local_follow import outputs_here
from .runner import print_result

__all__ = ["command"]


@click.command("outputs")
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_run)
@click.option("--download", metavar="DIR", help="Of a run in the cloud: bring the files home.")
@where
def command(run: str, download: str | None, **flags: Any) -> None:
    """Print the outputs of a run as JSON: {"dir": ..., "outputs": ...}, as `cromulent run` does.

    RUN is a run id or the beginning of one, a directory, or `last`. Files of a run in the cloud are addresses in
    S3; with --download they are brought into DIR, laid out as in a run directory's `out`, but for those that are
    there already.
    """
    directory = find(run, flags)
    if not in_cloud(directory):
        if noted(directory):
            ui.note("`cromulent gc` has removed files of this run: some of these may be gone")
        print_result({"dir": str(directory), "outputs": outputs_here(directory)})
        return
    from ..runs.mirror import Mirror
    from .cloud_outputs import outputs_of

    mirror = Mirror(directory)
    place, outputs = outputs_of(mirror, Path(download) if download else None)
    print_result({"dir": place or mirror.run.address, "outputs": outputs})
