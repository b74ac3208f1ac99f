"""The image that a task runs in, as its task definition names it."""

from __future__ import annotations

import os

from ...config import Settings
from ...model import Task
from .request import Blueprint

__all__ = ["Images"]

AMD64 = "amd64"


class Images:
    """The images of this process's tasks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def blueprint(self, task: Task, access_point: str) -> Blueprint:
        """Return what the task's definition is made from."""
        return Blueprint(
            image=task.images[0],
            architecture=task.architecture or AMD64,
            user=f"{os.geteuid()}:{os.getegid()}" if task.as_user else "",
            access_point=access_point,
            run_directory=str(task.run_directory),
            registry_secret="",
        )
