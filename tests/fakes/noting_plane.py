"""A data plane that starts nothing and notes what it was to start."""

from __future__ import annotations

from cromulent_wdl.simulator.ecs import Launch, RunningTask, Watcher

__all__ = ["NotingPlane"]


class NotingPlane:
    """Its tasks stay PENDING."""

    def __init__(self) -> None:
        self.launched: list[Launch] = []

    def start(self, launch: Launch, watcher: Watcher) -> RunningTask:
        self.launched.append(launch)
        return self

    def stop(self, patience: float | None) -> None:
        pass

    def close(self) -> None:
        pass
