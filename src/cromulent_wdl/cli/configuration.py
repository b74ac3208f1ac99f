"""miniwdl's configuration as the options of `cromulent run` make it."""

from __future__ import annotations

import configparser
import json
import logging
import os
from pathlib import Path
from typing import Any

from WDL._util import parse_byte_size, path_really_within
from WDL.CLI import runner_env_override
from WDL.Error import InputError
from WDL.runtime.config import Loader

from ..config.sources import environment_settings
from ..errors import SettingsError, UsageError
from ..plugin.settings import SECTION, is_set
from .options import RunOptions

__all__ = ["configuration", "effective"]

_KINDS: dict[str, dict[str, str]] = {
    "bool": {
        "scheduler": "fail_fast",
        "file_io": "allow_any_input chown copy_input_files mount_tmpdir output_hardlinks use_relative_output_paths",
        "task_runtime": "allow_privileged as_user old_command_dedent",
        "download_cache": "flock get ignore_query put",
        "call_cache": "get put",
    },
    "int": {
        "scheduler": "download_concurrency scatter_tag_max subworkflow_concurrency task_concurrency",
        "task_runtime": "cpu_max",
    },
    "float": {"task_runtime": "memory_limit_multiplier"},
    "list": {
        "file_io": "copy_input_files_for mount_tmpdir_for",
        "download_cache": "disable_patterns enable_patterns",
    },
    "dict": {"task_runtime": "defaults download_defaults env"},
}
"""What miniwdl's options are made of, where it is no text."""


def configuration(options: RunOptions, logger: logging.Logger) -> Loader:
    """Return the effective configuration for a run, checked to allow one here.

    Raises UsageError for a file, value or place that cannot be used.
    """
    cfg = effective(options, logger)
    _check_root(options, cfg)
    return cfg


def effective(options: RunOptions, logger: logging.Logger) -> Loader:
    """Load miniwdl's configuration, with our backend chosen and the options on top.

    Raises UsageError for a file or value that cannot be used.
    """
    if options.cfg is not None and not os.path.isfile(options.cfg):
        raise UsageError(f"there is no configuration file {options.cfg}")
    if options.cfg is not None and not os.access(options.cfg, os.R_OK):  # miniwdl would go on without it
        raise UsageError(f"the configuration file {options.cfg} may not be read")
    try:
        cfg = Loader(logger, filenames=[options.cfg] if options.cfg else None)
        cfg.override(_overrides(options, cfg))
        _check_kinds(cfg)
    except (configparser.Error, UnicodeDecodeError) as error:
        where = options.cfg or "miniwdl's configuration file"
        raise SettingsError(f"{where} cannot be read: {' '.join(str(error).split())}") from error
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return cfg


def _check_kinds(cfg: Loader) -> None:
    """Read what miniwdl itself reads only when a task or a download needs it. Raises ValueError."""
    for kind, sections in _KINDS.items():
        for section, names in sections.items():
            for name in names.split():
                getattr(cfg[section], f"get_{kind}")(name)


def _overrides(options: RunOptions, cfg: Loader) -> dict[str, dict[str, Any]]:
    """Return what the command line decides; what it leaves open is not mentioned."""
    scheduler: dict[str, Any] = {**_brought(options, cfg, "scheduler"), "container_backend": "cromulent"}
    if options.max_tasks is not None:
        scheduler["task_concurrency"] = options.max_tasks
    file_io: dict[str, Any] = _brought(options, cfg, "file_io")
    if options.copy_input_files:
        file_io["copy_input_files"] = True
    if options.copy_input_files_for:
        file_io["copy_input_files_for"] = list(options.copy_input_files_for)
    return {
        "scheduler": scheduler,
        "file_io": file_io,
        "task_runtime": _task_runtime(options, cfg),
        "download_cache": {"get": False} if options.no_cache else {},
        "call_cache": _call_cache(options, cfg),
        "logging": {"json": True} if options.log_json else {},
        SECTION: {
            **_before(options),
            **{name: value for name, value in options.settings().items() if value is not None},
        },
    }


def _before(options: RunOptions) -> dict[str, str]:
    """Return the settings of the run that is repeated, but for what the environment says of them now."""
    said = {name for layer in environment_settings(os.environ) for name in layer.values}
    return {name: value for name, value in options.before.items() if name not in said}


def _brought(options: RunOptions, cfg: Loader, section: str) -> dict[str, Any]:
    """Return those of miniwdl's options that come with the run, and that nobody has set here."""
    return {n: value for n, value in options.miniwdl.get(section, {}).items() if not is_set(cfg, section, n)}


def _call_cache(options: RunOptions, cfg: Loader) -> dict[str, Any]:
    """Turn our call cache on where the user has not said otherwise."""
    on: dict[str, Any] = {"backend": "cromulent", "get": True, "put": True}
    values = {name: value for name, value in on.items() if not is_set(cfg, "call_cache", name)}
    if options.no_cache:
        values["get"] = False
    return values


def _task_runtime(options: RunOptions, cfg: Loader) -> dict[str, Any]:
    values: dict[str, Any] = _brought(options, cfg, "task_runtime")
    if options.as_me:
        values["as_user"] = True
    if options.runtime_cpu_max is not None:
        values["cpu_max"] = options.runtime_cpu_max
    if options.runtime_memory_max is not None:
        values["memory_max"] = _memory_max(options.runtime_memory_max)
    if options.runtime_defaults is not None:
        values["defaults"] = _runtime_defaults(options.runtime_defaults)
    if options.env:
        try:
            values["env"] = runner_env_override(cfg, options.env)
        except InputError as error:
            raise UsageError(str(error), hint="write --env NAME or --env NAME=VALUE") from error
    return values


def _memory_max(text: str) -> int:
    try:
        return -1 if text.strip() == "-1" else int(parse_byte_size(text))
    except ValueError as error:
        raise UsageError(f"--runtime-memory-max cannot be {text!r}", hint="write it like '8G' or '-1'") from error


def _runtime_defaults(text: str) -> str:
    """Return the JSON text given literally or as a file's name, checked."""
    try:
        if not text.lstrip().startswith("{"):
            text = Path(text).read_text(encoding="utf-8")
        if not isinstance(json.loads(text), dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--runtime-defaults cannot be read: {error}",
            hint="""give a file's name or a JSON object, as in '{"maxRetries": 2}'""",
        ) from error
    return text


def _check_root(options: RunOptions, cfg: Loader) -> None:
    root, directory = cfg["file_io"]["root"], options.directory or os.getcwd()
    if not path_really_within(directory, root):
        raise UsageError(f"the run directory must lie within [file_io] root = {root}, unlike {directory}")
    cache = cfg["download_cache"]
    in_use = cache.get_bool("get") or cache.get_bool("put")
    if in_use and os.path.isabs(cache["dir"]) and not path_really_within(cache["dir"], root):
        raise UsageError(f"[download_cache] dir must lie within [file_io] root = {root}, unlike {cache['dir']}")
