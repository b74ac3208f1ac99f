"""`cromulent graph`: draws a workflow before it runs."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError
from . import ui

__all__ = ["command"]

_FORMS = ("svg", "png", "mermaid")
_BY_ENDING = {".svg": "svg", ".png": "png", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "mermaid"}


@click.command("graph")
@click.argument("source", metavar="SOURCE", type=click.Path())
@click.option("-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write to FILE.")
@click.option(
    "--format", "form", type=click.Choice(_FORMS), help="What to draw.  [default: as FILE ends, else Mermaid]"
)
@click.option("--task", metavar="NAME", help="This task, not the workflow.")
@click.option(
    "-p",
    "--path",
    multiple=True,
    metavar="DIR",
    type=click.Path(),
    help="Look for imports in DIR, too (may be repeated).",
)
@click.option("--no-quant-check", is_flag=True, help="Be less strict about optional types, for older WDL.")
def command(
    source: str, output: str | None, form: str | None, task: str | None, path: tuple[str, ...], no_quant_check: bool
) -> None:
    """Draw a workflow: its calls, what they wait for, and the scatters and conditions around them.

    As SVG, as PNG, or as text for Mermaid, which GitHub draws in Markdown.
    """
    from ..plugin import tuning

    tuning.install(tuning.PARSING)
    from WDL import CLI, Error

    from ..errors import InputsError
    from ..reports.drawing import mermaid, png, svg
    from .document import read_document
    from .graph_of import graph_of

    chosen = form or _form_of(output)
    document = read_document(source, path, not no_quant_check)
    try:
        graph = graph_of(CLI.runner_exe(document, task))
    except Error.InputError as error:
        raise InputsError(str(error)) from error
    content = png(graph) if chosen == "png" else (svg if chosen == "svg" else mermaid)(graph).encode()
    if output is None:
        ui.raw(content)
        return
    Path(output).write_bytes(content)
    ui.note(f"{graph.name}: {len(graph.calls)} call{'' if len(graph.calls) == 1 else 's'}, drawn in {output}")


def _form_of(output: str | None) -> str:
    if output is None:
        return "mermaid"
    ending = Path(output).suffix.lower()
    if ending not in _BY_ENDING:
        raise UsageError(f"'{output}' does not say what to draw", hint="end it in .svg, .png or .mmd, or give --format")
    return _BY_ENDING[ending]
