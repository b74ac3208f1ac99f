"""`cromulent completion`: the Tab key in bash, zsh and fish."""

from __future__ import annotations

import os
import sys

import click
from click.shell_completion import get_completion_class

from ..errors import UsageError
from . import overview, ui

__all__ = ["command"]

_FILES = {
    "bash": "~/.local/share/bash-completion/completions/cromulent",
    "zsh": "~/.zfunc/_cromulent",
    "fish": "~/.config/fish/completions/cromulent.fish",
}
_AFTER = {
    "bash": "open a new shell (this needs the package bash-completion)",
    "zsh": "put `fpath+=~/.zfunc` before `compinit` in ~/.zshrc, and open a new shell",
    "fish": "open a new shell",
}


@click.command("completion")
@click.argument("shell", required=False, type=click.Choice(sorted(_FILES)))
def command(shell: str | None) -> None:
    """Print what makes the Tab key complete commands, options, runs, calls and inputs.

    The shell is that of $SHELL when left out. On a terminal it also says where to put it.
    """
    shell = shell or os.path.basename(os.environ.get("SHELL", ""))
    complete = get_completion_class(shell)
    if shell not in _FILES or complete is None:
        raise UsageError(f"there is no completion for the shell '{shell}'", hint="cromulent completion bash|fish|zsh")
    ui.data(complete(click.Group(), {}, overview.PROGRAM, overview.COMPLETE_VARIABLE).source())
    if sys.stdout.isatty():
        file = _FILES[shell]
        ui.note("To keep this:")
        ui.note(f"  mkdir -p {os.path.dirname(file)} && cromulent completion {shell} > {file}")
        ui.note(f"  then {_AFTER[shell]}")
