"""`cromulent config`: every effective setting and where its value came from."""

from __future__ import annotations

import difflib
import json
import logging
import os
from dataclasses import asdict, dataclass

import click

from ..errors import SettingsError
from . import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from WDL.runtime.config import Loader

__all__ = ["command"]


@dataclass(frozen=True)
class _Setting:
    """One line: ours by its name, miniwdl's as `section.name`."""

    name: str
    value: object
    origin: str
    help: str = ""


@click.command("config")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, as_json: bool) -> None:
    """Show every setting and where its value came from.

    These are our own settings, and those of miniwdl that differ from its defaults. With NAME only that one is
    shown, such as backend or file_io.root. A setting is given by a flag of `cromulent run`, else by
    CROMULENT_NAME or MINIWDL__SECTION__NAME in the environment, else by miniwdl.cfg, else by cromulent.toml.
    """
    from .configuration import effective
    from .options import RunOptions

    loader = effective(RunOptions(source=""), logging.getLogger("cromulent.config"))
    if name is not None:
        _show_one(_find(name, loader), as_json)
        return
    settings = [*_ours(loader), *_miniwdl(loader, defaults=False)]
    if as_json:
        ui.json_result([_record(setting) for setting in settings])
    else:
        ui.table(
            [(s.name, _shown(s.value), (s.origin, "dim" if s.origin == "default" else "cyan")) for s in settings],
            head=("SETTING", "VALUE", "FROM"),
        )


def _show_one(setting: _Setting, as_json: bool) -> None:
    if as_json:
        ui.json_result(_record(setting))
        return
    ui.data(_shown(setting.value))
    ui.note(f"from {setting.origin}" if setting.origin != "default" else "the default")
    if setting.help:
        ui.note(setting.help)


def _record(setting: _Setting) -> dict[str, object]:
    return asdict(setting)


def _shown(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value)


def _ours(loader: Loader) -> list[_Setting]:
    from ..config.settings import help_of
    from ..plugin.settings import settings_of

    resolved = settings_of(loader)
    return [
        _Setting(name, getattr(resolved.settings, name), ui.short_path(resolved.origins[name]), help_of(name))
        for name in resolved.settings.__struct_fields__
    ]


def _miniwdl(loader: Loader, *, defaults: bool) -> list[_Setting]:
    """Return miniwdl's options, all or those that differ from its defaults."""
    from ..plugin.settings import SECTION

    return [
        _Setting(f"{section}.{name}", _masked(section, name, value), _origin(loader, section, name, value))
        for section, options in sorted(loader.get_all(defaults=defaults).items())
        if section != SECTION
        for name, value in sorted(options.items())
    ]


def _origin(loader: Loader, section: str, name: str, value: str) -> str:
    variable = f"MINIWDL__{section.upper()}__{name.upper()}"
    if loader._overrides.has_option(section, name):
        return "cromulent run"
    if variable in os.environ:
        return f"environment {variable}"
    if loader._options.has_option(section, name):
        return ui.short_path(f"{loader.cfg_filename} [{section}]")
    return "default"


def _masked(section: str, name: str, value: str) -> str:
    """Hide the values of environment variables for tasks: they are often tokens."""
    if (section, name) != ("task_runtime", "env"):
        return value
    return json.dumps({variable: None if text is None else "***" for variable, text in json.loads(value).items()})


def _find(name: str, loader: Loader) -> _Setting:
    settings = {setting.name: setting for setting in (*_ours(loader), *_miniwdl(loader, defaults=True))}
    if name in settings:
        return settings[name]
    same_ending = [full for full in settings if full.rpartition(".")[2] == name]
    if len(same_ending) == 1:
        return settings[same_ending[0]]
    near = same_ending or difflib.get_close_matches(name, settings, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`cromulent config` lists the settings"
    raise SettingsError(f"there is no setting '{name}'", hint=hint)
