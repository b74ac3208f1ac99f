"""Which faults strike: chances from a seed, occasions counted a fault. Safe to use from any thread."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from fnmatch import fnmatchcase

from .answers import AnswerLost, server_error, throttled
from .fault_plan import REQUEST_KINDS, TASK_KINDS, Fault, FaultPlan
from .meters import Meters

__all__ = ["CAPACITY_UNAVAILABLE", "START_FAILURES", "Ailments", "Faults"]

Ailments = dict[str, Fault]
"""What will befall a task, by kind."""

CAPACITY_UNAVAILABLE = (
    "Capacity is unavailable at this time. Please try again later or in a different availability zone"
)

START_FAILURES = {
    # (facts: pull failure; EFS mount failure; network)
    "eni_timeout": "Timeout waiting for network interface provisioning to complete.",
    "pull_rate_limit": "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve "
    "ref {image}: failed to copy: httpReadSeeker: failed open: unexpected status code 429 Too Many Requests - Server "
    "message: toomanyrequests: You have reached your pull rate limit.",
    "pull_not_found": "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
    "{image}: {image}: not found",
    "pull_wrong_architecture": "CannotPullContainerError: pull image manifest has been retried 7 time(s): image "
    "Manifest does not contain descriptor matching platform 'linux/{platform}'.",
    "pull_disk_full": "CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract layer: "
    "write /usr/lib: no space left on device",
    "efs_mount": "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: "
    "b'mount.nfs4: Connection reset by peer' : unsuccessful EFS utils command execution; code: 32",
}


class _Rule:
    """One fault, with its count of occasions and its chances."""

    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault = fault
        self._chances = random.Random(seed)
        self._occasions = 0
        self._struck = 0

    def strikes(self) -> bool:
        """Count an occasion and say whether the fault strikes."""
        fault = self.fault
        self._occasions += 1
        if fault.times is not None and self._struck >= fault.times:
            return False
        by_chance = fault.probability is not None and self._chances.random() < fault.probability
        by_count = self._occasions in fault.on or (fault.every is not None and self._occasions % fault.every == 0)
        always = fault.probability is None and not fault.on and fault.every is None
        struck = by_chance or by_count or always
        self._struck += struck
        return struck


class Faults:
    """The faults of a plan, which can be exchanged for another at any time."""

    def __init__(self, meters: Meters, plan: FaultPlan | None = None) -> None:
        self._meters = meters
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        if plan is not None:
            self.follow(plan)

    def follow(self, plan: FaultPlan) -> None:
        """Begin with another plan."""
        rules = [_Rule(fault, f"{plan.seed}/{index}/{fault.kind}") for index, fault in enumerate(plan.faults)]
        with self._lock:
            self._rules = rules

    def before_request(self, action: str) -> bool:
        """Raise what befalls a request; True says that its answer will be lost after it was carried out."""
        lost = False
        kinds = REQUEST_KINDS - {"latency"}
        for fault in self._striking(lambda fault: fault.kind in kinds and fault.action in (None, action)):
            if fault.kind == "throttling":
                raise throttled()
            if fault.kind == "server_error":
                raise server_error()
            if fault.kind == "connection_reset":
                raise AnswerLost
            lost = True
        return lost

    def delay(self, action: str) -> float:
        """Return the seconds by which the answer to a request is late."""
        return sum(
            fault.after
            for fault in self._striking(lambda fault: fault.kind == "latency" and fault.action in (None, action))
        )

    def no_capacity(self, family: str, provider: str) -> bool:
        """Say whether there is no capacity for one more task."""
        return bool(self._striking(lambda fault: fault.kind == "capacity" and _fits(fault, family, provider)))

    def ailments(self, family: str, provider: str) -> Ailments:
        """Return what will befall a new task."""
        striking = self._striking(lambda fault: fault.kind in TASK_KINDS and _fits(fault, family, provider))
        return {fault.kind: fault for fault in striking}

    def _striking(self, wanted: Callable[[Fault], bool]) -> list[Fault]:
        with self._lock:
            struck = [rule.fault for rule in self._rules if wanted(rule.fault) and rule.strikes()]
        for fault in struck:
            self._meters.fault(fault.kind)
        return struck


def _fits(fault: Fault, family: str, provider: str) -> bool:
    if fault.kind == "spot_interruption" and provider != "FARGATE_SPOT":
        return False
    if fault.provider is not None and fault.provider != provider:
        return False
    return fault.family is None or fnmatchcase(family, fault.family)
