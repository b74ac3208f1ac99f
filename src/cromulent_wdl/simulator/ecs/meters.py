"""What is counted: requests an action, their peak rate, throttles, endings of tasks, vCPU-seconds."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import Any

from ...clock import Clock

__all__ = ["Meters"]


class Meters:
    """Counters, safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Begin again at nothing."""
        with self._lock:
            self._since = self._clock.now()
            self._requests: Counter[str] = Counter()
            self._refused: dict[str, Counter[str]] = defaultdict(Counter)
            self._second: dict[str, tuple[int, int]] = {}
            self._peak: Counter[str] = Counter()
            self._faults: Counter[str] = Counter()
            self._endings: Counter[str] = Counter()
            self._started = 0
            self._vcpu_seconds = 0.0
            self._gb_seconds = 0.0

    def request(self, action: str) -> None:
        """Count a request."""
        now = int(self._clock.monotonic())
        with self._lock:
            self._requests[action] += 1
            second, so_far = self._second.get(action, (now, 0))
            so_far = so_far + 1 if second == now else 1
            self._second[action] = (now, so_far)
            self._peak[action] = max(self._peak[action], so_far)

    def refused(self, action: str, code: str) -> None:
        """Count a request that was answered with an error."""
        with self._lock:
            self._refused[action][code] += 1

    def fault(self, kind: str) -> None:
        """Count a fault that struck."""
        with self._lock:
            self._faults[kind] += 1

    def launched(self) -> None:
        """Count a task that RunTask accepted."""
        with self._lock:
            self._started += 1

    def ended(self, ending: str, seconds: float, cpu: int, memory: int) -> None:
        """Count a task that is STOPPED and what it is billed for: from its pull to its stop."""
        with self._lock:
            self._endings[ending] += 1
            self._vcpu_seconds += seconds * cpu / 1024
            self._gb_seconds += seconds * memory / 1024

    def snapshot(self) -> dict[str, Any]:
        """Return all counters as JSON."""
        with self._lock:
            actions = {
                action: {
                    "requests": requests,
                    "peakPerSecond": self._peak[action],
                    "throttled": self._refused[action]["ThrottlingException"],
                    "errors": dict(self._refused[action]),
                }
                for action, requests in sorted(self._requests.items())
            }
            return {
                "since": self._since,
                "actions": actions,
                "tasks": {"accepted": self._started, "endings": dict(sorted(self._endings.items()))},
                "vcpuSeconds": round(self._vcpu_seconds, 3),
                "gbSeconds": round(self._gb_seconds, 3),
                "faults": dict(sorted(self._faults.items())),
            }
