"""`cromulent simulate`: a local AWS, for as long as it is wanted or a command runs."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..errors import CromulentError, UsageError
from ..simulator.errors import PlanUnreadable
from ..simulator.process import FOREIGN, Simulation, require_installed
from ..simulator.settings import Settings
from . import ui

__all__ = ["command"]

_NOT_FOUND = 127
"""As a shell reports a command that is not there."""


class CommandNotFound(UsageError):
    """There is no such command to run."""

    exit_status = _NOT_FOUND


@click.command("simulate")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Answer at this port, not any.")
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="What is to go wrong (TOML or JSON).")
@click.option("--play", type=click.Path(path_type=Path), metavar="FILE", help="How played tasks go (TOML or JSON).")
@click.option("--realistic", is_flag=True, help="Take AWS's time to start tasks; hold clients to AWS's rates.")
@click.option("--rates", is_flag=True, help="Hold clients to AWS's rates, without its waits.")
@click.option("--vcpu-quota", type=click.FloatRange(0.25), metavar="N", help="Let no more than N Fargate vCPUs run.")
@click.option(
    "--state", type=click.Path(path_type=Path), metavar="DIR", help="Keep what there is in DIR, and begin with it."
)
@click.option("--enforce-iam", is_flag=True, help="Judge every request by its caller's policies.")
@click.option(
    "--data-plane",
    type=click.Choice(["play", "process", "container", "docker", "podman"]),
    default="play",
    show_default=True,
    help="What tasks do: pretend, or run as processes or in containers.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]")
def command(
    faults: Path | None, play: Path | None, state: Path | None, arguments: tuple[str, ...], **chosen: Any
) -> int:
    """Start a local AWS and say how to reach it, or run a COMMAND with it.

    Without a COMMAND it prints the environment to export and goes on until Ctrl-C. With one it ends when the
    COMMAND does, and with its exit status. Nothing is left behind, but what --state asks for.
    """
    require_installed()
    kept = str(state.absolute()) if state is not None else ""
    settings = Settings(faults=_read_faults(faults), play=_read_script(play), state=kept, **chosen)
    signal.signal(signal.SIGTERM, _leave)
    simulation = Simulation.start(settings)
    try:
        return _run(simulation, list(arguments)) if arguments else _serve(simulation)
    finally:
        simulation.close()


def _serve(simulation: Simulation) -> int:
    for name, value in simulation.environment.items():
        ui.data(f"export {name}={value}")
    ui.data(f"unset {' '.join(FOREIGN)}")
    sys.stdout.flush()
    ui.note(f"A local AWS answers at {simulation.address}. Ctrl-C ends it.")
    simulation.wait()
    raise CromulentError("the simulator has ended by itself")


def _run(simulation: Simulation, arguments: list[str]) -> int:
    try:
        child = simulation.run(arguments)
    except OSError as error:
        raise CommandNotFound(f"cannot run {arguments[0]}: {error.strerror}") from error
    return _wait(child)


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Return the exit status of the command, as a shell has it; Ctrl-C is for the command to obey."""
    while True:
        try:
            status = child.wait()
            return status if status >= 0 else 128 - status
        except KeyboardInterrupt:
            continue
        except SystemExit:
            child.terminate()
            child.wait()
            raise


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _read_faults(file: Path | None) -> str:
    """Return the plan in the file as JSON. Raises PlanUnreadable."""
    from ..simulator.ecs.fault_plan import read_plan

    return _as_json(file, read_plan)


def _read_script(file: Path | None) -> str:
    """Return the script in the file as JSON. Raises PlanUnreadable."""
    from ..simulator.planes.play_script import read_script

    return _as_json(file, read_script)


def _as_json(file: Path | None, read: Callable[[Path], object]) -> str:
    if file is None:
        return ""
    import msgspec

    try:
        return msgspec.json.encode(read(file)).decode()
    except OSError as error:
        raise PlanUnreadable(f"cannot read {file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise PlanUnreadable(f"{file}: {error}") from error
