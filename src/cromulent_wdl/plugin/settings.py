"""Our settings as miniwdl's configuration, the environment and `cromulent.toml` give them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

from WDL.runtime import config

from ..config import Origin, Resolved, Settings, find_project_file, resolve

__all__ = ["SECTION", "chosen", "is_set", "settings_of"]

SECTION = "cromulent"


def chosen(cfg: config.Loader) -> bool:
    """Whether this configuration runs tasks by our backend; if not, we keep out of everything."""
    return bool(cfg["scheduler"]["container_backend"] == "cromulent")


def settings_of(cfg: config.Loader, flags: Mapping[str, Any] | None = None) -> Resolved:
    """Return our settings: overrides of `cfg` are flags, its file's `[cromulent]` is a layer below the environment.

    Raises SettingsError.
    """
    # The loader does not tell which layer a value is from, so its parsers are asked.
    file_values = _section(cfg._options)
    for name in Settings.__struct_fields__:
        cfg.has_option(SECTION, name)  # marks it as used, or miniwdl warns of unused configuration
    return resolve(
        flags={**_section(cfg._overrides), **(flags or {})},
        environ=os.environ,
        miniwdl=Origin(f"{cfg.cfg_filename} [{SECTION}]", file_values) if file_values else None,
        project_file=find_project_file(Path.cwd()),
        inherited=_inherited(cfg),
    )


_OLDER_SECTION = "aws_fargate"
_OLDER = {
    "efs_id": "file_system",
    "efs_mountpoint": "mount",
    "efs_security_group": "security_group",
    "default_memory_mb": "default_memory",
    "default_cpu_shares": "default_cpu",
}
"""The options of the plugin miniwdl-aws-fargate of 2020, each with the setting of ours that it is."""


def _inherited(cfg: config.Loader) -> Origin | None:
    values = {}
    for older, name in _OLDER.items():
        if cfg.has_option(_OLDER_SECTION, older):
            value = cfg.get(_OLDER_SECTION, older)
            values[name] = _in_cpus(value) if older == "default_cpu_shares" else value
    return Origin(f"miniwdl's [{_OLDER_SECTION}]", values) if values else None


def _in_cpus(shares: str) -> str:
    try:
        return str(int(shares) / 1024)
    except ValueError:
        return shares  # which will be refused


def _section(parser: ConfigParser) -> dict[str, str]:
    return dict(parser.items(SECTION, raw=True)) if parser.has_section(SECTION) else {}


def is_set(cfg: config.Loader, section: str, key: str) -> bool:
    """Whether a miniwdl option has a value from its user: by environment or configuration file."""
    return config._env_var_name(section, key) in os.environ or cfg._options.has_option(section, key)
