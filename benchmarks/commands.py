"""How each engine is called, in surroundings where caches stay warm but no run finds the results of another."""

from __future__ import annotations

from collections.abc import Mapping

from .environments import CACHE, HERE, Environment
from .measure import Command

__all__ = ["STANDINS", "WORKFLOWS", "cromulent_run", "home", "miniwdl_run", "standin_run", "standin_site"]

WORKFLOWS = HERE / "workflows"
STANDINS = HERE / "standins"
_ENTRY_POINT = "[miniwdl.plugin.container_backend]\nstandin = standin_container:StandinContainer\n"


def home() -> dict[str, str]:
    """Return the environment of all commands."""
    directory = CACHE / "home"
    directory.mkdir(parents=True, exist_ok=True)
    return {"HOME": str(directory), "XDG_STATE_HOME": "{place}/state", "MINIWDL__CALL_CACHE__DIR": "{place}/calls"}


def cromulent_run(
    name: str, cromulent: Environment, arguments: list[str], environment: Mapping[str, str] | None = None
) -> Command:
    """Return `cromulent run` with the arguments."""
    program = [cromulent.program("cromulent"), "run", *arguments, "--dir", "{place}/run/."]
    return Command(name, program, home() | dict(environment or {}), shows='"outputs"')


def standin_run(
    name: str, cromulent: Environment, arguments: list[str], environment: Mapping[str, str] | None = None
) -> Command:
    """Return `cromulent run` with a backend that runs nothing."""
    head = [cromulent.program("python"), str(STANDINS / "head.py")]
    program = [*head, "run", *arguments, "--dir", "{place}/run/.", "--backend", "process"]
    return Command(name, program, home() | dict(environment or {}), shows='"outputs"')


def miniwdl_run(
    name: str, miniwdl: Environment, arguments: list[str], environment: Mapping[str, str] | None = None
) -> Command:
    """Return `miniwdl run` with the arguments."""
    program = [miniwdl.program("miniwdl"), "run", *arguments, "--dir", "{place}/run/."]
    return Command(name, program, home() | dict(environment or {}), shows='"outputs"')


def standin_site() -> str:
    """Return a directory for PYTHONPATH in which stock miniwdl finds a backend that runs nothing: one distribution."""
    site = CACHE / "standin"
    metadata = site / "standin-1.0.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: standin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(_ENTRY_POINT)
    module = STANDINS / "standin_container.py"
    (site / module.name).write_text(module.read_text())
    return str(site)
