"""Errors of the simulator."""

from __future__ import annotations

from ..errors import CromulentError, UsageError

__all__ = ["BaseChanged", "FaultsUnreadable", "NotInstalled", "SimulatorFailed"]


class NotInstalled(CromulentError):
    """What the simulator stands on is not installed."""


class BaseChanged(CromulentError):
    """The emulator is not the one that the repairs were made for."""


class SimulatorFailed(CromulentError):
    """The simulator did not start."""


class FaultsUnreadable(UsageError):
    """A file of faults cannot be read, or asks for what there is not."""
