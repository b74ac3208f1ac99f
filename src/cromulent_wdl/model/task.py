"""What a backend is asked to run: one attempt at one WDL task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

__all__ = ["Mount", "Resources", "Task"]


class Resources(msgspec.Struct, frozen=True):
    """What a task declares; zero means that it declared nothing."""

    cpu: int = 0
    """Whole cores reserved."""
    memory: int = 0
    """Bytes reserved."""
    memory_limit: int = 0
    """Bytes at which the task is killed; 0 for no limit."""
    gpu: bool = False
    disk: int = 0
    """Bytes of disk beside the working directory, for the image and temporary files."""


class Mount(msgspec.Struct, frozen=True):
    """One input: where it lies on this host, and under which path the command expects it."""

    host: Path
    container: str
    directory: bool = False


class Task(msgspec.Struct, frozen=True):
    """One attempt at a WDL task, evaluated: the command is text, paths are mapped, resources are numbers.

    On the host, `directory` holds `command` (a file), `stdout`, `stderr` and `work`, the attempt's empty
    working directory. The command expects them as `command`, `stdout.txt`, `stderr.txt` and `work` under
    `container_directory`, runs in that `work`, and finds each input read-only at its `Mount.container`.
    """

    run_id: str
    call: str
    """The call's path within the run, unique there: `align[2]`, `inner.count`; for a lone task its name."""
    name: str
    attempt: int
    directory: Path
    work: Path
    command: Path
    stdout: Path
    stderr: Path
    container_directory: str
    shell: str = "/bin/bash"
    """The command's interpreter with its options, split at white space."""
    inputs: tuple[Mount, ...] = ()
    inputs_copied: bool = False
    """True when writable copies of the inputs already lie in `work`, so nothing is to be mounted."""
    images: tuple[str, ...] = ()
    """Candidate images, the preferred one first."""
    names_image: bool = False
    """Whether the WDL or its caller asked for the image, rather than the configured default."""
    dockerfile: str | None = None
    resources: Resources = Resources()
    environment: Mapping[str, str] = {}
    """Given to the command beside what its image sets."""
    secrets: tuple[tuple[str, str], ...] = ()
    """Further variables, each with the ARN of the secret that whoever starts the container fetches into it."""
    as_user: bool = False
    """Run as the invoking user rather than as the image's user."""
    return_ownership: bool = True
    """Give what the task wrote back to the invoking user at the end."""
    network: str | None = None
    privileged: bool = False
    run_directory: Path = Path()
    """The run's directory on the host; the attempt's lies within it, unless it is a download into a cache."""
    architecture: str = ""
    """`arm64` or `amd64`, where the task asks for one."""
    timeout: float = 0.0
    """Seconds that the command may take; 0 for no limit."""
    preemptible: bool = False
    """Whether the attempt may run where its provider can take the machine back."""

    def __repr__(self) -> str:
        """Name the attempt, without its environment: that may hold secrets."""
        return f"<attempt {self.attempt} at {self.call} in {self.run_id}>"
