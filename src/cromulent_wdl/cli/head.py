"""What a head does: fetches the bundle, runs miniwdl on the shared disk, and leaves the result in the bucket.

Whatever is the workflow's own fault ends in a result, and exit status 0. What is not (AWS does not answer, the ECS
task is stopped, a defect) leaves none: then the state machine starts another head, which goes on in the same run
directory with what the call cache has.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from WDL import Env, Value, copy_source, runtime, values_to_json
from WDL._util import VERBOSE_LEVEL, TerminationSignalFlag
from WDL.runtime.config import Loader

from ..aws import objects
from ..aws.access import Access
from ..config import Settings
from ..errors import FetchFailed, UsageError
from ..model import Ending
from ..model.cloud_run import RunRequest, RunResult
from ..model.deployment import Deployment, deployment_in
from ..plugin import session, tuning
from ..plugin.listener import listen
from ..runs.station import Station
from ..storage import layout
from ..storage.bucket import RunKeys
from ..storage.downloaded import downloads_directory
from ..submit import bundle as bundles
from ..submit.tidying import ERRAND
from .configuration import configuration
from .failure import Failure, failure_of
from .head_files import address_outputs, clear_ends, fetch_inputs, keep_logs
from .head_names import Names
from .head_record import launched_of, record_of
from .head_tidy import tidy_disk
from .logs_on_terminal import logging_to_terminal
from .options import RunOptions
from .place import place
from .source import Bound, bind_inputs, load_source

__all__ = ["MOUNT", "orchestrate"]

MOUNT = Path("/mnt/cromulent")
"""Where every task has the shared file system (provision/template.yaml)."""

_TERMINATED = 128 + signal.SIGTERM


@dataclass(frozen=True)
class _Head:
    """This head, and where it stands."""

    access: Access
    deployment: Deployment
    keys: RunKeys
    station: Station
    names: Names

    @property
    def bucket(self) -> str:
        return self.deployment.bucket

    @property
    def directory(self) -> Path:
        return MOUNT / "runs" / self.keys.run_id


def orchestrate() -> int:
    """Be the head of the run that the environment names; return the exit status."""
    deployment, run = deployment_in(os.environ), os.environ.get("RUN_ID", "")
    if deployment is None or not run:
        raise UsageError(
            "this is no head: RUN_ID and DEPLOYMENT_… are not set", hint="the deployment's machine starts heads"
        )
    sys.setrecursionlimit(1_000_000)  # as miniwdl: expressions nest as deep as the machine's stack allows
    tuning.install()
    logging.getLogger().setLevel(VERBOSE_LEVEL)
    for chatty in ("botocore", "s3transfer", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    access, keys = Access(region=deployment.region), RunKeys(run)
    if objects.find(access, deployment.bucket, keys.result) is not None:
        return 0  # an earlier head wrote it with its last breath
    station = Station(access, deployment.bucket, keys, stop=lambda: os.kill(os.getpid(), signal.SIGTERM))
    names = Names(MOUNT, run, f"s3://{deployment.bucket}/{keys.files}")
    head = _Head(access, deployment, keys, station, names)
    station.open(record_of(os.environ, deployment))
    try:
        result = _result(head)
    finally:
        station.close()
    if result is None:
        return _TERMINATED
    objects.put(access, head.bucket, keys.result, msgspec.json.encode(result))
    return 0


def _result(head: _Head) -> RunResult | None:
    """Run to the end and return how that was; None where a signal from nobody known ended it."""
    try:
        with TerminationSignalFlag(logging.getLogger("cromulent")) as terminating:  # from before there are tasks
            result = _run(head, terminating)
    except InterruptedError as error:
        result = RunResult(head.keys.run_id, "stopped", "Cromulent.Stopped", str(error), exit_status=130)
    except (UsageError, bundles.BundleUnreadable, FetchFailed) as error:
        hint = f" ({error.hint})" if error.hint else ""
        said = head.names.known(f"{error}{hint}")
        return RunResult(head.keys.run_id, "failed", "Cromulent.Request", said, exit_status=2)
    if result.state == Ending.STOPPED.value and not (head.station.stop_asked or head.station.look()):
        return None
    return result


def _run(head: _Head, terminating: Callable[[], bool]) -> RunResult:
    bundle, source = _requested(head)
    if bundle.errand == ERRAND:
        return tidy_disk(head.access, head.bucket, head.keys, MOUNT, bundle.inputs.get(ERRAND))
    head.directory.mkdir(parents=True, exist_ok=True)
    clear_ends(head.directory)
    archive = head.directory / "source.zip"
    archive.write_bytes(source)
    options = RunOptions(
        source=str(archive),
        input_file=msgspec.json.encode(bundle.inputs).decode(),
        task=bundle.task or None,
        verbose=True,
        no_color=True,
        **_tuples(bundle.options),
    )
    with ExitStack() as cleanup:
        cleanup.enter_context(logging_to_terminal(options))
        os.chdir(head.directory)
        cfg = configuration(msgspec.structs.replace(options, directory=str(MOUNT)), logging.getLogger("cromulent"))
        cfg.override(_overrides(bundle, head.keys.run_id))
        loaded = load_source(options, cfg, cleanup)
        copy_source(loaded.document, str(head.directory / layout.SOURCE))  # for reports, which draw it
        bound = bind_inputs(loaded, options, cfg)
        fetched = fetch_inputs(head.access, bound.inputs, downloads_directory(MOUNT), head.names, terminating)
        if terminating():
            raise InterruptedError("it was told to stop")
        bound = msgspec.structs.replace(bound, inputs=fetched)
        here = place(cfg, bound.target)
        cleanup.callback(here.close)
        backend, told = here.session.choice.backend.name, head.names.telling(head.station)
        active = session.begin(head.directory, bound.target, backend, told)
        if (own := launched_of(os.environ, head.deployment)) is not None:
            active.record(own)
        return _execute(head, cfg, bound, active)


def _requested(head: _Head) -> tuple[bundles.Bundle, bytes]:
    text = objects.get(head.access, head.bucket, head.keys.request)
    if text is None:
        raise UsageError(f"there is no request of run {head.keys.run_id}")
    request = msgspec.json.decode(text, type=RunRequest)
    bundle, source = bundles.read(head.access, head.bucket, request.bundle)
    more = msgspec.json.decode(text).get("inputs")  # others who start a run may add to the bundle's, or replace them
    return (replace(bundle, inputs={**bundle.inputs, **more}) if isinstance(more, dict) else bundle), source


def _tuples(options: Any) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}


def _overrides(bundle: bundles.Bundle, run: str) -> dict[str, dict[str, Any]]:
    """Return what differs in the cloud from a run on a laptop."""
    concurrency = bundle.settings.get("task_concurrency", Settings().task_concurrency)
    return {
        "scheduler": {"task_concurrency": concurrency},
        "file_io": {"root": str(MOUNT), "chown": False},
        "call_cache": {"dir": str(MOUNT / "cache")},
        # What comes from S3 has a place of its own, by content; miniwdl's cache goes by the address alone.
        "download_cache": {"get": False, "put": False},
        "cromulent": {"backend": "fargate", "mount": str(MOUNT), "started_by": run, **_texts(bundle.settings)},
    }


def _texts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return lists as the texts that settings are in miniwdl's configuration."""
    return {name: ",".join(value) if isinstance(value, (list, tuple)) else value for name, value in settings.items()}


def _execute(head: _Head, cfg: Loader, bound: Bound, active: session.ActiveRun) -> RunResult:
    listen()
    try:
        with ExitStack() as cleanup:
            cache = cleanup.enter_context(runtime.cache.new(cfg, logging.getLogger("cromulent")))
            options: Any = {"run_dir": f"{head.directory}/.", "_cache": cache}  # miniwdl types them wrongly
            _, outputs = runtime.run(cfg, bound.target, bound.inputs, **options)
    except Exception as error:  # noqa: BLE001 - every failure of a run ends here, and is explained in its result
        failure = failure_of(error, active)
        active.end(failure.ending, failure.message, failure.call)
        return _failed(head, failure)
    address = _keep_outputs(head, bound, outputs)
    active.end(Ending.OK)
    keep_logs(head.access, head.bucket, head.keys, head.directory, head.names)
    return RunResult(head.keys.run_id, "ok", outputs=address)


def _failed(head: _Head, failure: Failure) -> RunResult:
    stopped = failure.ending is Ending.STOPPED
    keep_logs(head.access, head.bucket, head.keys, head.directory, head.names)
    return RunResult(
        head.keys.run_id,
        "stopped" if stopped else "failed",
        "Cromulent.Stopped" if stopped else "Cromulent.Failed",
        head.names.known(failure.message),
        failure.call,
        failure.exit_status,
        failure.last_words,
    )


def _keep_outputs(head: _Head, bound: Bound, outputs: Env.Bindings[Value.Base]) -> str:
    """Upload the output files and write the outputs with their addresses; return the address of that."""
    addressed = address_outputs(head.access, head.bucket, head.keys, head.directory, outputs)
    text = msgspec.json.encode(values_to_json(addressed, namespace=bound.target.name))
    objects.put(head.access, head.bucket, head.keys.outputs, text)
    return f"s3://{head.bucket}/{head.keys.outputs}"
