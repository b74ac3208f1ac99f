"""The way into the `cromulent` command, and its boundary: whatever happens becomes an exit status and a sentence."""

from __future__ import annotations

import gc
import os
import sys

from .. import __version__
from ..errors import CromulentError
from . import overview, streams, ui

TYPE_CHECKING = False  # see overview.py
if TYPE_CHECKING:
    from collections.abc import Callable

    Dispatch = Callable[[list[str]], int]

__all__ = ["main", "run"]

FAILED = 1
INTERRUPTED = 130
BROKEN_PIPE = 141
"""As a shell reports a program that SIGPIPE ended."""
_COLLECT_EVERY = 100_000
"""Objects made between garbage collections: imports and syntax trees make many and leave no garbage."""
DEFECT = 70
"""EX_SOFTWARE of sysexits.h: the program is at fault, not what it was given."""


def main() -> None:
    """Run the command line of this process, and exit."""
    gc.set_threshold(_COLLECT_EVERY)
    streams.make_usable()
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = BROKEN_PIPE
    except OSError as error:
        status = _refused_by_system(ui.named(error))
    if status in (BROKEN_PIPE, FAILED):
        # Python flushes once more at exit; there it must find a place to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def run(arguments: list[str], dispatch: Dispatch | None = None) -> int:
    """Run a command line, by click, and return its exit status; what went wrong has been said on stderr."""
    try:
        if (text := overview.answer(arguments, os.environ)) is None:
            return (dispatch or _dispatch)(arguments)
        ui.data(text)
        return 0
    except CromulentError as error:
        ui.fail(str(error), error.hint)
        _show_trace_if_asked(arguments)
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError as error:  # a disk, a permission: not ours to mend, and the sentence of the system says it
        _show_trace_if_asked(arguments)
        return _refused_by_system(error)
    except Exception as error:  # noqa: BLE001 - the last boundary: a defect of ours, to be told and reported
        ui.fail(f"{overview.PROGRAM} has a defect: {_in_one_line(error)}", _keep_trace())
        _show_trace_if_asked(arguments)
        return DEFECT


def _dispatch(arguments: list[str]) -> int:
    from .group import group

    if overview.COMPLETE_VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        instruction = os.environ[overview.COMPLETE_VARIABLE]
        return shell_complete(group, {}, overview.PROGRAM, overview.COMPLETE_VARIABLE, instruction)

    def invoke() -> object:
        with group.make_context(overview.PROGRAM, list(arguments)) as context:
            return group.invoke(context)

    return _invoke(invoke)


def _invoke(command: Callable[[], object]) -> int:
    """Call a click command and return the exit status that its result, or its way of leaving, stands for."""
    import click

    try:
        return _status(command())
    except (click.exceptions.Exit, SystemExit) as leaving:
        return _status(leaving.exit_code if isinstance(leaving, click.exceptions.Exit) else leaving.code)
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        ui.fail(error.format_message(), _help_of(error))
        return error.exit_code


def _status(result: object) -> int:
    """Return a command's result as an exit status: an int is one, None and everything else mean success."""
    return result if isinstance(result, int) else 0


def _help_of(error: Exception) -> str | None:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path} --help` says what it takes" if context else None


def _refused_by_system(error: OSError) -> int:
    ui.fail(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
    return FAILED


def _in_one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _keep_trace() -> str:
    """Write the trace of the exception being handled to a file and return the sentence that says where it is."""
    import traceback

    from ..clock import SYSTEM, local_time
    from ..storage import layout

    trace = f"{overview.PROGRAM} {__version__}, Python {sys.version}\n\n{traceback.format_exc()}"
    try:
        path = layout.defects_directory() / f"{local_time(SYSTEM.now()):%Y%m%d_%H%M%S}_{os.getpid()}.txt"
        path.write_text(trace, encoding="utf-8")
    except OSError:
        return f"please report it with this trace:\n{trace}"
    return f"please report it with the trace that is now in {path}"


def _show_trace_if_asked(arguments: list[str]) -> None:
    if "--debug" in arguments:
        import traceback

        ui.note(traceback.format_exc())
