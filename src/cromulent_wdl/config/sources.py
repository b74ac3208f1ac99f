"""Where settings come from: flag > environment > miniwdl's configuration > `cromulent.toml` > others > default."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from ..errors import SettingsError
from .settings import Settings

__all__ = ["Origin", "Resolved", "environment_settings", "find_project_file", "resolve"]

ENVIRONMENT_PREFIX = "CROMULENT_"
MINIWDL_PREFIX = "MINIWDL__CROMULENT__"
# Variables of ours that are no settings: the switch of plugin/tuning, and the mark that a head's tasks carry.
NOT_SETTINGS = frozenset({"CROMULENT_TUNING", "CROMULENT_HEAD"})
PROJECT_FILE = "cromulent.toml"
_DEFAULTS = Settings()


class Origin(msgspec.Struct, frozen=True):
    """One layer of settings: what to call it in front of people, and the values it gives."""

    name: str
    values: Mapping[str, Any]


class Resolved(msgspec.Struct, frozen=True):
    """Settings with the layer that each value came from."""

    settings: Settings
    origins: Mapping[str, str]


def environment_settings(environ: Mapping[str, str]) -> list[Origin]:
    """Return the layers in the environment: `CROMULENT_X`, then `MINIWDL__CROMULENT__X`, one a variable."""
    layers = []
    for prefix in (ENVIRONMENT_PREFIX, MINIWDL_PREFIX):
        for name, value in sorted(environ.items()):
            if name.startswith(prefix) and name not in NOT_SETTINGS:
                layers.append(Origin(f"environment {name}", {name[len(prefix) :].lower(): value}))
    return layers


def find_project_file(directory: Path) -> Path | None:
    """Return the nearest `cromulent.toml` in the directory or above it."""
    for candidate in (directory, *directory.parents):
        if (candidate / PROJECT_FILE).is_file():
            return candidate / PROJECT_FILE
    return None


def _project_layer(file: Path) -> Origin:
    try:
        values = msgspec.toml.decode(file.read_bytes())
    except (msgspec.DecodeError, OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    return Origin(str(file), values)


def resolve(
    *,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    miniwdl: Origin | None = None,
    project_file: Path | None = None,
    inherited: Origin | None = None,
) -> Resolved:
    """Merge the layers, the first that gives a value winning, and check names and types.

    `inherited` is what was said to another tool, in our names. Raises SettingsError naming the layer at fault.
    """
    layers = [Origin("flag", {name: value for name, value in flags.items() if value is not None})]
    layers += environment_settings(environ)
    layers += [miniwdl] if miniwdl else []
    layers += [_project_layer(project_file)] if project_file else []
    layers += [inherited] if inherited else []
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.__struct_fields__, "default")
    for layer in layers:
        for name, given in layer.values.items():
            value = _listed(name, given)
            _check(name, value, layer.name)
            if name not in values:
                values[name] = value
                origins[name] = layer.name
    return Resolved(msgspec.convert(values, Settings, strict=False), origins)


def _listed(name: str, value: Any) -> Any:
    """Return a list's text, parts separated by commas, as a list; and anything else as it is."""
    is_list = name in Settings.__struct_fields__ and isinstance(getattr(_DEFAULTS, name), tuple)
    return [part.strip() for part in value.split(",") if part.strip()] if is_list and isinstance(value, str) else value


def _check(name: str, value: Any, layer: str) -> None:
    if name not in Settings.__struct_fields__:
        near = difflib.get_close_matches(name, Settings.__struct_fields__, n=1)
        raise SettingsError(
            f"there is no setting '{name}' ({layer})",
            hint=f"did you mean '{near[0]}'?" if near else "`cromulent config` lists every setting",
        )
    try:
        msgspec.convert({name: value}, Settings, strict=False)
    except msgspec.ValidationError as error:
        reason = str(error).split(" - at ")[0]
        if choices := _choices(name):
            reason = f"it is one of {', '.join(choices)}"
        raise SettingsError(
            f"setting '{name}' cannot be {value!r} ({layer}): {reason}", hint="`cromulent config` lists every setting"
        ) from error


def _choices(name: str) -> tuple[str, ...]:
    """Return the words that a setting can be, if it is one of some."""
    kind = get_type_hints(Settings)[name]
    return get_args(kind) if get_origin(kind) is Literal else ()
