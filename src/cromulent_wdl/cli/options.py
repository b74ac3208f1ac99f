"""The options of `cromulent run`, as a value."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..errors import UsageError

__all__ = ["RunOptions"]

_HINTS = {
    "--detach": "add --on aws, or leave it out and end the command with `&`",
    "--download": "add --on aws, or say by --dir where the run directory goes",
}


class RunOptions(msgspec.Struct, frozen=True):
    """What the command line said; None or empty where it said nothing. Names follow `miniwdl run`."""

    source: str
    inputs: tuple[str, ...] = ()
    input_file: str | None = None
    empty: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    task: str | None = None
    json_only: bool = False
    directory: str | None = None
    stdout_file: str | None = None
    error_json: bool = False
    verbose: bool = False
    debug: bool = False
    log_json: bool = False
    no_color: bool = False
    cfg: str | None = None
    max_tasks: int | None = None
    runtime_cpu_max: int | None = None
    runtime_memory_max: str | None = None
    runtime_defaults: str | None = None
    no_cache: bool = False
    env: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    copy_input_files: bool = False
    copy_input_files_for: tuple[str, ...] = ()
    as_me: bool = False
    path: tuple[str, ...] = ()
    check_quant: bool = True
    no_outside_imports: bool = False
    backend: str | None = None
    progress: str | None = None
    task_timeout: str | None = None
    max_cost: float | None = None
    on: str = "here"
    detach: bool = False
    download: str | None = None
    deployment: str | None = None
    profile: str | None = None
    region: str | None = None
    before: Mapping[str, str] = {}
    """Settings of the run that this one repeats; they hold where neither these options nor the environment say so."""

    miniwdl: Mapping[str, Mapping[str, str]] = {}
    """miniwdl's own options, by their sections, of where the run was asked for or of the one that it repeats.

    They hold where none is set here.
    """

    def settings(self) -> dict[str, str | None]:
        """Return our own settings among the options."""
        return {
            "backend": self.backend,
            "progress": self.progress,
            "task_timeout": self.task_timeout,
            "max_cost": None if self.max_cost is None else str(self.max_cost),
            "task_secrets": ",".join(self.secret) or None,
            "deployment": self.deployment,
            "profile": self.profile,
            "region": self.region,
        }

    def check_place(self) -> None:
        """Raise UsageError where something is asked for that there is not where the run is to go."""
        if self.on == "aws" and self.backend not in (None, "auto", "fargate"):
            raise UsageError(
                f"in the cloud tasks run on Fargate, and not by '{self.backend}'",
                hint="leave out --backend, or --on aws",
            )
        if self.on != "aws" and (self.detach or self.download):
            option = "--detach" if self.detach else "--download"
            raise UsageError(f"{option} is about runs in the cloud, and this one is to run here", hint=_HINTS[option])
