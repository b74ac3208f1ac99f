"""The command line as click sees it: the commands of `overview.py`, each imported when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from typing import cast

import click
from click.shell_completion import CompletionItem

from .. import __version__
from ..errors import UsageError
from . import overview, ui

__all__ = ["group"]

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 80}


class LazyGroup(click.Group):
    """A group that knows its commands' names and one line about each, and imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [name for name, _, _ in overview.COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None if there is none of that name."""
        if cmd_name not in (*self.list_commands(ctx), *overview.HIDDEN):
            return None
        return cast(click.Command, importlib.import_module(f".{cmd_name}", __package__).command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with; raise UsageError with the nearest name if there is none."""
        names = self.list_commands(ctx)
        if args[0] not in (*names, *overview.HIDDEN) and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(args[0], names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"`{overview.PROGRAM} --help` lists the commands"
            raise UsageError(f"there is no command '{args[0]}'", hint=hint)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """Return the overview."""
        return overview.help_text()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete a command's name without importing commands, or an option of the group."""
        names = [CompletionItem(n, help=text) for n, _, text in overview.COMMANDS if n.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@click.command(cls=LazyGroup, name=overview.PROGRAM, context_settings=CONTEXT, invoke_without_command=True)
@click.option("--version", is_flag=True)
@click.option("-v", "--verbose", is_flag=True)
@click.option("--debug", is_flag=True)  # acted upon in main.py, which sees what went wrong
@click.pass_context
def group(ctx: click.Context, version: bool, verbose: bool, debug: bool) -> None:
    """Run WDL workflows."""
    if version:
        ui.data(_versions() if verbose else f"{overview.PROGRAM} {__version__}")
        ctx.exit()
    if verbose:
        raise UsageError("-v goes with --version, or behind a command that has it", hint="cromulent run -v …")
    if ctx.invoked_subcommand is None:
        ui.data(ctx.get_help())


def _versions() -> str:
    import platform
    from importlib import metadata

    from ..plugin import tuning

    return "\n".join(
        (
            f"{overview.PROGRAM} {__version__}",
            f"miniwdl   {metadata.version('miniwdl')}",
            f"python    {platform.python_version()}",
            f"tuning    {tuning.state()}",
        )
    )
