"""Errors of the simulator."""

from __future__ import annotations

from ..errors import CromulentError, UsageError

__all__ = ["BaseChanged", "NotInstalled", "PlanUnreadable", "SimulatorFailed", "StateUnusable"]


class NotInstalled(CromulentError):
    """What the simulator stands on is not installed."""


class BaseChanged(CromulentError):
    """The emulator is not the one that the repairs were made for."""


class SimulatorFailed(CromulentError):
    """The simulator did not start."""


class StateUnusable(CromulentError):
    """The directory of `--state` cannot be used."""


class PlanUnreadable(UsageError):
    """A file of faults, or of how played tasks go, cannot be read, or asks for what there is not."""
