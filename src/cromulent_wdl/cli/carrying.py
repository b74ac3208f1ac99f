"""What of a run's options goes with it into the cloud, and from there into a run that repeats it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from WDL.runtime.config import Loader

from ..config import Resolved
from ..errors import UsageError
from ..model.cloud_run import RunRequest
from ..plugin.settings import is_set
from ..submit.bundle import Bundle
from .options import RunOptions

__all__ = ["carried_on", "options_to_carry", "settings_to_carry"]

_CARRIED = (
    "runtime_cpu_max",
    "runtime_memory_max",
    "runtime_defaults",
    "no_cache",
    "env",
    "copy_input_files",
    "copy_input_files_for",
    "check_quant",
)
"""The options of `cromulent run` that say how a run goes, wherever it does."""
_OF_MINIWDL = {
    "scheduler": ("fail_fast", "scatter_tag_max"),
    "file_io": ("copy_input_files", "copy_input_files_for", "mount_tmpdir", "mount_tmpdir_for"),
    "task_runtime": (
        "command_preamble",
        "command_shell",
        "cpu_max",
        "defaults",
        "memory_limit_multiplier",
        "memory_max",
        "old_command_dedent",
        "placeholder_regex",
    ),
}
"""The options in miniwdl's configuration that do; `env` goes with `--env`."""
_NOT_CARRIED = frozenset({"backend", "progress", "profile", "region", "deployment", "docker_host", "podman_host"})
"""Settings that are about this machine."""
_UNSET = msgspec.structs.asdict(RunOptions(source=""))


def options_to_carry(options: RunOptions, cfg: Loader) -> dict[str, Any]:
    """Return the options that a bundle has, without what is only on this machine: files, and its environment."""
    given = {name: value for name in _CARRIED if (value := getattr(options, name)) != _UNSET[name]}
    if (defaults := given.get("runtime_defaults")) and not defaults.lstrip().startswith("{"):
        given["runtime_defaults"] = Path(defaults).read_text(encoding="utf-8")  # which has been read before
    if env := (*_configured_environment(options, cfg), *map(_with_value, options.env)):
        given["env"] = env
    if configured := _configured(options, cfg):
        given["miniwdl"] = configured
    return given


def _configured(options: RunOptions, cfg: Loader) -> dict[str, dict[str, str]]:
    """Return miniwdl's options that somebody has set, here or where the repeated run was asked for."""
    found = {
        section: {
            n: cfg.get(section, n) for n in names if is_set(cfg, section, n) or n in options.miniwdl.get(section, {})
        }
        for section, names in _OF_MINIWDL.items()
    }
    return {section: values for section, values in found.items() if values}


def _configured_environment(options: RunOptions, cfg: Loader) -> tuple[str, ...]:
    """Return the variables that miniwdl's configuration gives to tasks, those that `--env` gives left out."""
    given = {each.partition("=")[0] for each in options.env}
    values = {
        name: os.environ.get(name) if value is None else value
        for name, value in cfg["task_runtime"].get_dict("env").items()
        if name not in given
    }
    return tuple(f"{name}={value}" for name, value in values.items() if value is not None)


def settings_to_carry(resolved: Resolved) -> dict[str, Any]:
    """Return the settings that a bundle has: what somebody has set."""
    return {
        name: getattr(resolved.settings, name)
        for name, origin in resolved.origins.items()
        if origin != "default" and name not in _NOT_CARRIED
    }


def carried_on(options: RunOptions, bundle: Bundle, request: RunRequest) -> RunOptions:
    """Return the options of a run that repeats another: what it is not given anew is as it was there.

    But for `--no-cache`: what the other has done is not done again unless that is asked for anew.
    """
    before: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in bundle.options.items()
        if name in _UNSET and name != "no_cache" and getattr(options, name) == _UNSET[name]
    }
    size = {"head_cpu": request.headCpu, "head_memory": request.headMemory}
    return msgspec.structs.replace(options, **before, before=_texts({**size, **bundle.settings}))


def _texts(settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: ",".join(value) if isinstance(value, (list, tuple)) else str(value) for name, value in settings.items()
    }


def _with_value(variable: str) -> str:
    if "=" in variable:
        return variable
    try:
        return f"{variable}={os.environ[variable]}"
    except KeyError:
        raise UsageError(
            f"--env {variable} is to pass on a variable that is not set here", hint="write --env NAME=VALUE, or set it"
        ) from None
