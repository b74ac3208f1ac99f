"""How the engine behaves where AWS's behaviour is a matter of time or luck."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

__all__ = ["NEAR_ZERO", "REALISTIC", "EcsSettings", "Latency", "Uniform"]


@dataclass(frozen=True)
class Uniform:
    """Seconds drawn evenly between two bounds."""

    least: float = 0.0
    most: float = 0.0

    def draw(self, source: random.Random) -> float:
        """Return seconds."""
        return self.least if self.most <= self.least else source.uniform(self.least, self.most)


@dataclass(frozen=True)
class Latency:
    """How long a task stays in the states that belong to the service, not to the task."""

    provisioning: Uniform = field(default_factory=Uniform)
    """From PROVISIONING (the network interface) to PENDING."""
    pending: Uniform = field(default_factory=Uniform)
    """From PENDING to the moment when the data plane is asked to start."""
    deprovisioning: Uniform = field(default_factory=Uniform)
    """From DEPROVISIONING to STOPPED."""


NEAR_ZERO = Latency()
REALISTIC = Latency(provisioning=Uniform(8, 20), pending=Uniform(6, 20), deprovisioning=Uniform(5, 25))


@dataclass(frozen=True)
class EcsSettings:
    """The engine's settings."""

    seed: int = 0
    latency: Latency = NEAR_ZERO
    consistency_delay: Uniform = field(default_factory=Uniform)
    """Seconds after RunTask during which DescribeTasks and ListTasks do not know the task yet."""
    stopped_visible: float = 3600.0
    """Seconds for which a STOPPED task stays visible: "at least one hour" (botocore, DescribeTasks)."""
    enforce_limits: bool = False
    """Whether AWS's token buckets hold."""
    vcpu_quota: float | None = None
    """Fargate vCPUs that may run at once, On-Demand and Spot each; None is no quota."""
    spot_warning: float = 120.0
    """Seconds from the warning of a Spot interruption to the stop."""
