"""`cromulent run --on aws`, step by step: what is needed goes up, a run is started, and followed to its end."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace

import msgspec
from WDL._util import NOTICE_LEVEL
from WDL.runtime.config import Loader

from ..aws.access import Access
from ..aws.identity import caller
from ..config import Settings
from ..errors import AwsUnreachable, CromulentError, UsageError
from ..model.deployment import Deployment
from ..plugin import tuning
from ..plugin.settings import settings_of
from ..provision import find_deployment
from ..runs.given import keep_given
from ..runs.mirror import CloudRun, mirror_of
from ..submit import launch
from ..units import counted, format_bytes, format_dollars
from . import outlook, ui
from .cloud_follow import asks, follow
from .configuration import configuration
from .deployment import access_by, cloud_run, prices_in
from .image_lookup import login_by, looking_up
from .logs_on_terminal import logging_to_terminal
from .options import RunOptions
from .planning import Row, World, plan
from .remote_inputs import check_remote
from .source import Bound, Source, bind_inputs, load_source, source_name
from .submission import Sent, send
from .task_secrets import check_secrets

__all__ = ["begin", "run_in_cloud"]


@dataclass(frozen=True)
class _Wish:
    """What is to be run where, all of it checked."""

    options: RunOptions
    cfg: Loader
    source: Source
    bound: Bound
    settings: Settings
    access: Access
    deployment: Deployment
    caller: str
    """Who asks, as an ARN."""


def run_in_cloud(options: RunOptions) -> int:
    """Run what the options say in the cloud; return the exit status. Raises UsageError before anything is started."""
    # All of it is the process's, so not for who calls `begin` from a program of their own.
    sys.setrecursionlimit(1_000_000)  # as miniwdl: expressions nest as deep as the machine's stack allows
    tuning.install()
    logging.getLogger().setLevel(NOTICE_LEVEL)
    run, access = begin(options)
    if options.detach:
        ui.data(run.run)
        return 0
    return follow(run, options, access)


def begin(options: RunOptions) -> tuple[CloudRun, Access]:
    """Check and upload what is to be run, and start it; or return the run of the same that goes on, if that is wanted.

    Before anything is started it raises UsageError, or with its exit status whatever keeps us from AWS.
    """
    with ExitStack() as cleanup:
        try:
            wish = _checked(options, cleanup)
            ready = _ready(wish)
        except CromulentError as error:
            error.exit_status = UsageError.exit_status
            raise
        except KeyboardInterrupt:
            ui.note("Nothing was started. What has been uploaded is not sent again.")
            raise
        return ready if isinstance(ready, CloudRun) else _start(wish, ready), wish.access


def _checked(options: RunOptions, cleanup: ExitStack) -> _Wish:
    cleanup.enter_context(logging_to_terminal(msgspec.structs.replace(options, verbose=False, debug=False)))
    cfg = configuration(options, logging.getLogger("cromulent"))
    source = load_source(options, cfg, cleanup)
    bound = bind_inputs(source, options, cfg)
    settings = settings_of(cfg).settings
    check_secrets(settings, bound.target, on_fargate=True)
    access = access_by(settings)
    deployment = find_deployment(access, settings.deployment)
    return _Wish(options, cfg, source, bound, settings, access, deployment, caller(access).arn)


def _ready(wish: _Wish) -> Sent | CloudRun:
    """Return what is in the bucket for a new run, and say what it will be; or the run that is to be followed."""
    rows = _check(wish)
    check_remote(wish.access, wish.deployment, wish.bound.inputs)
    sent = send(wish.access, wish.deployment, wish.source, wish.bound, wish.options, wish.cfg)
    there = launch.already_running(wish.access, wish.deployment, sent.digest, wish.caller)
    if there is not None and _joins(there):
        return cloud_run(wish.deployment, there, wish.settings)
    sent = replace(sent, run=launch.run_id(wish.bound.target.name, sent.digest))
    ui.note(f"{wish.bound.target.name}  {sent.run}  deployment {wish.deployment.name}, {wish.deployment.region}")
    ui.item(f"checked   {outlook.checked(rows)}", hang=10)
    if not wish.options.no_cache and (why := outlook.uncached(rows)):
        ui.item(f"cache     {why}", hang=10)
    if rows:
        ui.item(f"will cost {outlook.costs(rows)}", hang=10)
    if limit := wish.settings.max_cost:
        ui.note(f"  stops     launching at {format_dollars(limit)}")
    outlook.warn(rows)
    ui.note(f"  uploaded  {_uploaded(wish, sent)}")
    return sent


def _start(wish: _Wish, sent: Sent) -> CloudRun:
    size = launch.Size(wish.settings.head_cpu, wish.settings.head_memory)
    try:
        launch.start(wish.access, wish.deployment, sent.run, launch.request(sent.digest, wish.caller, size))
    except AwsUnreachable as error:
        error.hint = f"whether it has started is not known: cromulent attach {sent.run}"
        raise
    started = cloud_run(wish.deployment, sent.run, wish.settings)
    here = replace(started, source=_absolute(wish.options.source), paths=tuple(map(_absolute, wish.options.path)))
    keep_given(mirror_of(here), sent.given)
    ui.note(f"  started   {_afterwards(wish.options, sent.run)}")
    return started


def _afterwards(options: RunOptions, run: str) -> str:
    """Return what one may do now that the run goes on by itself."""
    if options.detach:
        return f"follow it: cromulent attach {run}"
    return "Ctrl-C asks: leave it or stop it" if asks() else "Ctrl-C leaves it"


def _absolute(source: str) -> str:
    """Return a source as it is named from anywhere."""
    return source if "://" in source else os.path.abspath(source)


def _check(wish: _Wish) -> list[Row]:
    """Return what each call gets. Raise UsageError where a call cannot run on Fargate, or its image is not there."""
    default = wish.cfg["task_runtime"].get_dict("defaults").get("docker", "")
    world = World(
        wish.settings,
        prices_in(wish.deployment.region),
        looking_up(login_by(wish.access), patience=wish.settings.registry_wait),
        default,
    )
    rows = plan(wish.bound.target, world, wish.bound.inputs)
    problems = [f"{row.call}: {row.problem}" for row in rows if row.problem]
    if problems:
        raise UsageError("\n".join(problems), hint=f"`cromulent plan {wish.options.source}` shows every call")
    return rows


def _uploaded(wish: _Wish, sent: Sent) -> str:
    if not sent.files:
        return (
            f"{source_name(wish.options)}; every input is there already" if sent.wanted else source_name(wish.options)
        )
    files = f"{counted(sent.files, 'file')}, {format_bytes(sent.bytes)}"
    if sent.spared:
        files += f", of which {format_bytes(sent.spared)} were there from an upload that broke off"
    return f"{source_name(wish.options)} and {files}"


def _joins(run: str) -> bool:
    """Ask whether the run that goes on is what is wanted; where nobody can be asked, another is started."""
    if not asks():
        ui.note(f"The same already runs: {run}. Another is started; cromulent attach {run} would follow that one.")
        return False
    return ui.confirm(f"The same already runs: {run}. Follow it, rather than start another?")
