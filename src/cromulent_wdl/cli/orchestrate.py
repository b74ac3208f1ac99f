"""`cromulent orchestrate`: the head of a run in the cloud. Started by the deployment's state machine, not by people."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("orchestrate", hidden=True)
def command() -> int:
    """Run what the request of the run RUN_ID names, and leave its result in the deployment's bucket.

    Exits with status 0 once the result is there, however the run ended; another status means that another head
    must go on with it. It finds the deployment in its environment (docs/reference/cloud-runs.md).
    """
    from .head import orchestrate

    return orchestrate()
