"""What the Tab key offers: runs, calls, inputs of a workflow, words of a setting. Never says or raises anything."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from ..errors import CromulentError
from ..runs.find import find_run
from ..runs.index import entries

__all__ = ["complete_call", "complete_input", "complete_run", "complete_word"]

_OFFERED = 30


def complete_run(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer run ids, the newest first, and `last`; what looks like a path is left to the shell."""
    if "/" in incomplete or incomplete.startswith("."):
        return [CompletionItem(incomplete, type="dir")]
    known = [entry for entry in entries() if entry.run_id.startswith(incomplete)]
    names = [CompletionItem(entry.run_id, help=str(entry.directory.parent)) for entry in known[:_OFFERED]]
    return ([CompletionItem("last", help="the newest run")] if "last".startswith(incomplete) else []) + names


def complete_call(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer the calls of the run that was named."""
    from ..runs.watch import Watch

    try:
        status = Watch(find_run(ctx.params.get("run") or "last", entries())).status()
    except CromulentError:
        return []
    calls = [call for call in status.in_order() if call.path.startswith(incomplete)]
    return [CompletionItem(call.path, help=call.state.value) for call in calls[:_OFFERED]]


def complete_word(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer the words that the setting takes of which the option is."""
    from typing import get_args, get_type_hints

    from ..config import Settings

    words = get_args(get_type_hints(Settings)[param.name or ""])
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def complete_input(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer `NAME=` for the inputs of the source that was named: the required ones, else the others, else files.

    bash splits words at `=`, so behind one there is a word of its own before the value.
    """
    files = [CompletionItem(incomplete, type="file")]
    given = ctx.params.get("inputs") or ()
    if "=" in incomplete or given[-1:] == ("=",):
        return files
    inputs = _inputs_of(str(ctx.params.get("source") or ""), ctx)
    required = [name for name, is_required, _ in inputs if is_required and name.startswith(incomplete)]
    names = required or [name for name, _, _ in inputs if name.startswith(incomplete)]
    types = {name: type_ for name, _, type_ in inputs}
    return [CompletionItem(f"{name}=", help=types[name]) for name in names] or files


def _inputs_of(source: str, ctx: click.Context) -> list[tuple[str, bool, str]]:
    """Return name, whether it is required, and type of each input of a file; nothing of what is no WDL file."""
    if not Path(source).is_file():
        return []
    from ..plugin import tuning

    tuning.install(tuning.PARSING)
    from WDL import CLI, Error

    from .document import read_document

    try:
        target = CLI.runner_exe(read_document(source, ctx.params.get("path") or ()), ctx.params.get("task"))
    except (CromulentError, Error.InputError):
        return []
    required = {binding.name for binding in target.required_inputs}
    return [(each.name, each.name in required, str(each.value.type)) for each in target.available_inputs]
