"""What commands about a deployment share: which one, and the way into its account."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import UsageError
from . import ui

__all__ = ["access_by", "agreed", "cloud_run", "prices_in", "resolved", "where"]

if TYPE_CHECKING:  # `cromulent run` comes by here for `where` alone
    from ..aws.access import Access
    from ..config import Resolved, Settings
    from ..model.deployment import Deployment
    from ..pricing.card import Rates
    from ..runs.mirror import CloudRun

_Command = TypeVar("_Command", bound=Callable[..., Any])


def where(command: _Command) -> _Command:
    """Add the options that say which deployment is meant: they are settings, too."""
    for option, help_text in (
        ("--profile", "The AWS profile.  [default: as the AWS CLI]"),
        ("--region", "The AWS region.  [default: as the AWS CLI]"),
    ):
        command = click.option(option, metavar="NAME", help=help_text)(command)
    return click.option("--name", "deployment", metavar="NAME", help="The deployment's name.  [default: cromulent]")(
        command
    )


def resolved(flags: Mapping[str, Any]) -> Resolved:
    """Return the settings with these flags; what is None or an empty list was not given."""
    from ..plugin.settings import settings_of
    from .configuration import effective
    from .options import RunOptions

    given = {name: value for name, value in flags.items() if value is not None and value != ()}
    return settings_of(effective(RunOptions(source=""), logging.getLogger("cromulent.config")), given)


def access_by(settings: Settings) -> Access:
    """Return the way into AWS that the settings name."""
    from ..aws.access import Access

    return Access(profile=settings.profile or None, region=settings.region or None)


def agreed(question: str, *, yes: bool) -> bool:
    """Whether a person says yes, or has by `--yes`. Raises UsageError where nobody can be asked."""
    try:
        return yes or ui.confirm(question)
    except click.Abort:
        if sys.stdin.isatty():
            raise
    raise UsageError("nobody is there to be asked", hint="--yes does without")


def cloud_run(deployment: Deployment, run: str, settings: Settings) -> CloudRun:
    """Return how this machine reaches a run of a deployment."""
    from ..runs.mirror import CloudRun

    return CloudRun(
        run,
        deployment=deployment.name,
        bucket=deployment.bucket,
        machine=deployment.state_machine,
        region=deployment.region,
        log_group=deployment.log_group,
        profile=settings.profile,
    )


def prices_in(region: str) -> Rates:
    """Return the prices of a region, as AWS was last asked for them or as they were shipped."""
    from ..pricing.refresh import rates_of
    from ..storage import layout

    return rates_of(region, layout.prices_directory())
