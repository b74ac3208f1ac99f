"""How a simulator is set up, as one frozen value that travels to its process as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ACCOUNT", "HOST", "REGION", "Credentials", "Settings"]

ACCOUNT = "123456789012"
"""The account of AWS's own documentation."""
REGION = "us-east-1"
HOST = "127.0.0.1"
"""The only address at which the simulator can be reached."""


@dataclass(frozen=True)
class Credentials:
    """A pair of keys."""

    key: str
    secret: str


@dataclass(frozen=True)
class Settings:
    """What can be asked of a simulator."""

    port: int = 0
    """0 takes a free one."""
    enforce_iam: bool = False
    realistic: bool = False
    """Whether starts and stops take the time that AWS has, and its rates hold."""
    rates: bool = False
    """Whether requests and launches are limited to AWS's rates, whatever time starts and stops take."""
    data_plane: str = "play"
    waits: float = 1.0
    """By what the waits of state machines, and the pauses between their attempts, are multiplied."""
    vcpu_quota: float | None = None
    """Fargate vCPUs that may run at once, On-Demand and Spot each; None is no quota."""
    owner: str = ""
    """The id of the head to which the simulator belongs."""
    seed: int = 0
    faults: str = ""
    """The text of a file of faults."""
    play: str = ""
    """How tasks go that are only played, as JSON (`planes/play_script.py`); empty: a second each, and well."""
    state: str = ""
    """The directory in which the state outlives the simulator, as an absolute path; empty: it does not."""
    tasks_endpoint: str = ""
    """The URL under which tasks are told to find AWS; empty: the simulator's own. A line between them can be cut."""
    log_level: str = "CRITICAL"
    root: Credentials = field(default_factory=lambda: Credentials("AKIASIMULATOR0000000", "simulator"))

    @property
    def limited(self) -> bool:
        """Whether AWS's rates hold."""
        return self.realistic or self.rates
