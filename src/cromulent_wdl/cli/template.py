"""`cromulent template`: the inputs of a workflow as JSON to fill in."""

from __future__ import annotations

import click

from . import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from WDL import Tree

__all__ = ["command"]


@click.command("template")
@click.argument("source", metavar="SOURCE", type=click.Path())
@click.option("--task", metavar="NAME", help="The inputs of this task, not of the workflow.")
@click.option("--optional", is_flag=True, help="The optional inputs, too, with their defaults.")
@click.option(
    "-p",
    "--path",
    multiple=True,
    metavar="DIR",
    type=click.Path(),
    help="Look for imports in DIR, too (may be repeated).",
)
@click.option("--no-quant-check", is_flag=True, help="Be less strict about optional types, for older WDL.")
def command(source: str, task: str | None, optional: bool, path: tuple[str, ...], no_quant_check: bool) -> None:
    """Print the inputs of a workflow as JSON to fill in.

    Give the filled-in file to `cromulent run SOURCE -i FILE`. A required input has its type, or an example, as
    its value.
    """
    from ..plugin import tuning

    tuning.install(tuning.PARSING)
    from WDL import CLI, Error, Tree

    from ..errors import InputsError
    from .document import read_document

    document = read_document(source, path, not no_quant_check)
    try:
        target: Tree.Workflow | Tree.Task = CLI.runner_exe(document, task)
    except Error.InputError as error:
        raise InputsError(str(error), hint=_tasks(document)) from error
    prefix = f"{target.name}." if isinstance(target, Tree.Workflow) else ""
    required = target.required_inputs
    values = {prefix + binding.name: CLI._type_to_input_template(binding.value.type) for binding in required}
    if optional:
        known, computed = _defaults(target)
        values |= {prefix + name: value for name, value in known.items()}
        for name, expression in computed.items():
            ui.note(f"left out, its default is computed: {prefix}{name} = {expression}")
    ui.json_result(values)
    if not values:
        many = any(not binding.name.rpartition(".")[2].startswith("_") for binding in target.available_inputs)
        ui.note(f"{target.name} needs no input" + ("; --optional shows those that it takes" if many else ""))


def _tasks(document: Tree.Document) -> str | None:
    names = ", ".join(task.name for task in document.tasks)
    return f"--task is one of {names}" if names else None


def _defaults(target: Tree.Workflow | Tree.Task) -> tuple[dict[str, object], dict[str, str]]:
    """Return the optional inputs whose default is a constant or nothing, and the default of each other one."""
    from ..plugin.constants import constant

    known: dict[str, object] = {}
    computed: dict[str, str] = {}
    for binding in target.available_inputs.subtract(target.required_inputs):
        expression = binding.value.expr
        if binding.name.rpartition(".")[2].startswith("_"):
            continue
        if expression is None:
            known[binding.name] = None
        elif (value := constant(expression)) is not None:
            known[binding.name] = value
        else:
            computed[binding.name] = str(expression)
    return known, computed
