"""`cromulent plan`: what each call of a workflow would get on Fargate, and at what price."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ..units import format_bytes
from . import ui
from .deployment import access_by, prices_in, where
from .outlook import warn

if TYPE_CHECKING:
    from .planning import Row

__all__ = ["command"]


@click.command("plan")
@click.argument("source", metavar="SOURCE", type=click.Path())
@click.option("--task", metavar="NAME", help="This task, not the workflow.")
@click.option("-p", "--path", multiple=True, metavar="DIR", type=click.Path(), help="Look for imports in DIR, too.")
@click.option("--no-quant-check", is_flag=True, help="Be less strict about optional types, for older WDL.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@where
def command(
    source: str, task: str | None, path: tuple[str, ...], no_quant_check: bool, as_json: bool, **flags: Any
) -> int:
    """Show for each call the size that it would get on Fargate, its image, and its price an hour.

    ASKED is what a call asks for where it gets more. What depends on data is '?'. What cannot run there is an error,
    with exit status 2. Nothing is started, and AWS is asked for nothing but the log-in to ECR; the images' registries
    are asked.
    """
    from ..plugin import tuning

    tuning.install(tuning.PARSING)
    from WDL import CLI, Error

    from ..errors import InputsError
    from ..plugin.settings import settings_of
    from .configuration import effective
    from .document import read_document
    from .image_lookup import login_by, looking_up
    from .options import RunOptions
    from .planning import World, plan

    document = read_document(source, path, not no_quant_check)
    try:
        target = CLI.runner_exe(document, task)
    except Error.InputError as error:
        raise InputsError(str(error)) from error
    cfg = effective(RunOptions(source=source), logging.getLogger("cromulent.config"))
    settings = settings_of(cfg, {name: value for name, value in flags.items() if value is not None}).settings
    default = cfg["task_runtime"].get_dict("defaults").get("docker", "")
    access = access_by(settings)
    region = access.region if settings.region else "us-east-1"
    world = World(settings, prices_in(region), looking_up(login_by(access), patience=settings.registry_wait), default)
    rows = plan(target, world)
    return _show(rows, as_json)


def _show(rows: list[Row], as_json: bool) -> int:
    problems = [row for row in rows if row.problem]
    if as_json:
        ui.json_result([asdict(row) for row in rows])
    else:
        ui.table([_cells(row) for row in rows], head=("CALL", "RUNS AS", "ASKED", "IMAGE", "$/h"), right=(4,))
        for row in problems:
            ui.note(f"✘ {row.call}: {row.problem}")
        for image, silence in {row.image: row.silence for row in rows if row.silence}.items():
            ui.note(f"? {image}: its registry {silence}, so nothing is known of it here")
        for row in rows:
            if not row.problem and (unknown := _unknown(row)):
                ui.note(f"? {row.call}: {unknown} depends on data, and is known only when it runs")
        warn(rows)
        count = len(problems)
        ui.note(
            f"{count} problem{'' if count == 1 else 's'}. Nothing was started." if count else "Nothing was started."
        )
    return 2 if problems else 0


def _unknown(row: Row) -> str:
    """Return what of a call nobody knows before it runs."""
    found = ("its size" if row.dollars is None else "", "its image" if row.image == "?" else "")
    return " and ".join(filter(None, found))


def _cells(row: Row) -> tuple[str | tuple[str, str], ...]:
    place = "" if row.problem else f"{'Spot' if row.spot else 'on demand'} {row.size}"
    image = {True: f"{row.image} ✔", False: f"{row.image} ✘", None: f"{row.image} ?" if row.silence else row.image}[
        row.found
    ]
    image += f" {format_bytes(row.image_size)}" if row.image_size else ""
    dollars = f"{row.dollars:.3f}" if row.dollars is not None else "?"
    return (row.call, place or ("✘", "red"), re.sub(" rounded to [^,]+", "", row.rounding), image, dollars)
