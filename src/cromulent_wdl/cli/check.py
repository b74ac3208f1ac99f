"""`cromulent check`: miniwdl's checks and outline, and our lint for portability among them."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass

import click

from ..errors import SourceError
from . import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from WDL import Tree

__all__ = ["command"]

_SHELLCHECK = "CommandShellCheck"


@dataclass(frozen=True)
class _Options:
    suppress: frozenset[str]
    strict: bool
    show_all: bool
    path: tuple[str, ...]
    check_quant: bool
    no_outside_imports: bool


@dataclass(frozen=True)
class _Checked:
    """One source: its document with lint attached, or what is wrong with it."""

    source: str
    document: Tree.Document | None = None
    error: SourceError | None = None


@click.command("check")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path())
@click.option("--strict", is_flag=True, help="Exit with status 2 if there is any warning.")
@click.option("--suppress", default="", metavar="NAMES", help="Leave out these warnings: NAME,NAME")
@click.option("--no-suppress", "show_all", is_flag=True, help="Show what comments in the source suppress.")
@click.option(
    "-p",
    "--path",
    multiple=True,
    metavar="DIR",
    type=click.Path(),
    help="Look for imports in DIR, too (may be repeated).",
)
@click.option(
    "--no-quant-check",
    "check_quant",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Be less strict about optional types, for older WDL.",
)
@click.option("--no-outside-imports", is_flag=True, help="Refuse imports from outside the source's directory.")
@click.option("--no-shellcheck", is_flag=True, hidden=True)  # miniwdl's old name of --suppress CommandShellCheck
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(sources: tuple[str, ...], as_json: bool, suppress: str, no_shellcheck: bool, **given: object) -> int:
    """Check WDL: errors, lint, and what will not run elsewhere.

    SOURCE is a file or a URL. A warning is suppressed by a comment with !NAME on its line or the next one:

        docker: "ubuntu"  # !UnpinnedImage

    Exits with status 2 if there is an error.
    """
    names = frozenset(filter(None, [*suppress.split(","), no_shellcheck and _SHELLCHECK]))
    options = _Options(suppress=names, **given)  # type: ignore[arg-type]  # click has made the fields' types
    results = _check(sources, options)
    warnings = _as_json(results, options) if as_json else _as_text(results, options)
    failed = any(result.error for result in results)
    return 2 if failed or (options.strict and warnings) else 0


def _check(sources: tuple[str, ...], options: _Options) -> list[_Checked]:
    from ..plugin import tuning

    tuning.install(tuning.PARSING)
    from WDL import Lint

    from ..plugin import portability
    from .document import read_document

    portability.install()
    if _SHELLCHECK in options.suppress:
        Lint._shellcheck_available = False
    results = []
    for source in sources:
        try:
            document = read_document(source, options.path, options.check_quant, options.no_outside_imports)
            results.append(_Checked(source, document=Lint.lint(document)))
        except SourceError as error:
            results.append(_Checked(source, error=error))
    return results


def _as_text(results: list[_Checked], options: _Options) -> int:
    """Print miniwdl's outline of each source; return the number of warnings in it."""
    from WDL import CLI, Lint

    shown = [0]
    for result in results:
        if result.error is not None:
            ui.fail(str(result.error), result.error.hint)
            continue
        document = result.document
        text = io.StringIO()
        CLI.outline(
            document,
            0,
            file=text,
            show_called=document is not None and document.workflow is not None,
            suppress=options.suppress,
            show_all=options.show_all,
            shown=shown,
        )
        ui.data(f"{os.path.basename(result.source)}\n{text.getvalue().rstrip()}")
    if _SHELLCHECK not in options.suppress and Lint._shellcheck_available is False:
        ui.note(f"hint: with shellcheck installed, commands are checked too (--suppress {_SHELLCHECK} ends this hint)")
    return shown[0]


def _as_json(results: list[_Checked], options: _Options) -> int:
    """Print all errors and warnings as JSON; return the number of warnings."""
    warnings = [warning for result in results for warning in _warnings(result, options)]
    errors = [
        {"source": result.source, "message": str(result.error), "hint": result.error.hint}
        for result in results
        if result.error is not None
    ]
    ui.json_result({"errors": errors, "warnings": warnings})
    return len(warnings)


def _warnings(result: _Checked, options: _Options) -> list[dict[str, object]]:
    from WDL import Lint

    if result.document is None:
        return []
    return [
        {
            "source": result.source,
            "file": position.abspath,
            "line": position.line,
            "column": position.column,
            "end_line": position.end_line,
            "end_column": position.end_column,
            "name": name,
            "message": message,
            "suppressed": suppressed,
        }
        for position, name, message, suppressed in sorted(Lint.collect(result.document), key=lambda lint: lint[0])
        if name not in options.suppress and (options.show_all or not suppressed)
    ]
