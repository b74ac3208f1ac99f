"""What `cromulent run` does, step by step; `run` at the end reads like a table of contents."""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from shlex import quote
from typing import Any

from WDL import copy_source, runtime, values_to_json
from WDL._util import NOTICE_LEVEL, VERBOSE_LEVEL, provision_run_dir, write_atomic
from WDL.runtime.config import Loader
from WDL.runtime.error import error_json

from ..backends.seam import Backend
from ..errors import CromulentError, UsageError
from ..model import Ending, RunStarted
from ..plugin import session, tuning
from ..plugin.concurrency import is_open
from ..plugin.garbage import spare_what_stays
from ..plugin.listener import listen
from ..runs.journal import JournalReader
from ..storage import layout
from . import ui
from .configuration import configuration
from .failure import failure_of
from .logs_on_terminal import logging_to_terminal
from .options import RunOptions
from .place import place
from .progress import View, view_of
from .source import Bound, Source, bind_inputs, load_source
from .task_secrets import check_secrets

__all__ = ["print_result", "run"]

_NO_WISHES = RunOptions(source="")


def run(options: RunOptions) -> int:
    """Run what the options say, print the result, and return the exit status.

    Raises UsageError for all that is wrong before anything is started.
    """
    try:
        return _run(options)
    except CromulentError as error:
        print_result(error_json(error.__cause__ or error), options, failed=True)
        raise


def _run(options: RunOptions) -> int:
    sys.setrecursionlimit(1_000_000)  # as miniwdl: expressions nest as deep as the machine's stack allows
    tuning.install()
    level = logging.DEBUG if options.debug else VERBOSE_LEVEL if options.verbose else NOTICE_LEVEL
    logging.getLogger().setLevel(level)
    logging.raiseExceptions = options.debug
    with ExitStack() as cleanup:
        cleanup.enter_context(logging_to_terminal(options))
        cfg = configuration(options, logging.getLogger("cromulent"))
        source = load_source(options, cfg, cleanup)
        bound = bind_inputs(source, options, cfg)
        if options.json_only:
            ui.data(json.dumps(bound.inputs_json, indent=None if options.log_json else 2))
            return 0
        here = place(cfg, bound.target)
        cleanup.callback(here.close)
        if not here.session.choice.backend.elastic:
            _say_what_counts_for_nothing(options)
        check_secrets(here.session.settings, bound.target, on_fargate=here.session.choice.backend.elastic)
        if here.session.choice.backend.elastic and is_open(cfg):
            cfg.override({"scheduler": {"task_concurrency": here.session.settings.task_concurrency}})
        directory = _run_directory(bound, source, options, here.session.choice.backend)
        view = cleanup.enter_context(view_of(options, here, directory, bound.target.name))
        active = session.begin(directory, bound.target, here.session.choice.backend.name, view)
        return _execute(cfg, bound, options, active, view)


def _run_directory(bound: Bound, source: Source, options: RunOptions, backend: Backend) -> Path:
    """Make the run directory, named as miniwdl names it, with all in it that the run can be begun again from.

    Raises UsageError where that cannot be written, or is taken.
    """
    parent = options.directory or os.getcwd()
    itself = os.path.basename(parent) == os.curdir
    if itself and _holds_other_run(Path(parent), bound.target.name):
        raise UsageError(
            f"{os.path.dirname(parent) or parent} is the directory of another run",
            hint="choose another with --dir; what was done there comes from the call cache all the same",
        )
    refusal = backend.directory_refusal(Path(parent), "" if itself else f"YYYYMMDD_HHMMSS_{bound.target.name}")
    if refusal is not None:
        raise UsageError(refusal, hint="give another with --dir; `cromulent config` shows where files are looked for")
    try:
        directory = Path(provision_run_dir(bound.target.name, options.directory, last_link=True))
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
        _leave_artifacts(source, directory)
    except OSError as error:
        raise UsageError(
            f"the run directory cannot be made in {parent}: {error.strerror}", hint="choose another with --dir"
        ) from error
    return directory


def _say_what_counts_for_nothing(options: RunOptions) -> None:
    """Say which options are about Fargate, where no task goes."""
    for option, value in (("--max-cost", options.max_cost), ("--task-timeout", options.task_timeout)):
        if value is not None:
            ui.note(f"{option} has no effect here: it is about tasks on Fargate")


def _holds_other_run(directory: Path, name: str) -> bool:
    """Whether a run is there that ours does not go on with: one of another workflow, or one without a journal."""
    journal = directory / layout.JOURNAL
    if journal.exists():
        started = (event for event in JournalReader(journal).new(of_run_only=True) if isinstance(event, RunStarted))
        return any(event.name != name for event in started)
    return any((directory / file).exists() for file in (layout.RUN_LOG, layout.CALL_LOG))


def _execute(cfg: Loader, bound: Bound, options: RunOptions, active: session.ActiveRun, view: View) -> int:
    """Run the target to its end; return the exit status."""
    listen()
    spare_what_stays()
    directory = active.directory
    try:
        with ExitStack() as cleanup:
            cache = cleanup.enter_context(runtime.cache.new(cfg, logging.getLogger("cromulent")))
            options_of_run: Any = {"run_dir": f"{directory}/.", "_cache": cache}  # miniwdl types them wrongly
            _, outputs = runtime.run(cfg, bound.target, bound.inputs, **options_of_run)
    except Exception as error:  # every failure of a run ends here, is explained and has its exit status
        failure = failure_of(error, active)
        active.end(failure.ending, failure.message, failure.call)
        view.failed(failure)
        print_result(error_json(error), options, failed=True)
        if options.debug:
            raise
        return failure.exit_status
    active.end(Ending.OK)
    view.succeeded()
    print_result({"outputs": values_to_json(outputs, namespace=bound.target.name), "dir": str(directory)}, options)
    return 0


def _leave_artifacts(source: Source, directory: Path) -> None:
    """Leave the WDL and a line to run it again in the run directory, as miniwdl does."""
    line = f"pushd {quote(os.getcwd())} && cromulent {' '.join(map(quote, _without_secrets(sys.argv[1:])))}; popd\n"
    (directory / "rerun").write_text(line, encoding="utf-8", errors="surrogateescape")
    copy_source(source.document, str(directory / layout.SOURCE))


def _without_secrets(arguments: list[str]) -> list[str]:
    """Drop the values of `--env NAME=VALUE`: they are often tokens."""
    kept: list[str] = []
    for argument in arguments:
        if kept and kept[-1] == "--env":
            argument = argument.partition("=")[0]
        elif argument.startswith("--env="):
            argument = "--env=" + argument.removeprefix("--env=").partition("=")[0]
        kept.append(argument)
    return kept


def print_result(content: dict[str, Any], options: RunOptions = _NO_WISHES, failed: bool = False) -> None:
    """Write the result JSON where the user wants it: on standard output, if he does not say."""
    if failed and not (options.error_json or options.stdout_file):
        return
    text = json.dumps(content, indent=None if options.log_json else 2, sort_keys=True)
    if options.stdout_file:
        write_atomic(text, options.stdout_file)
    else:
        ui.data(text)
