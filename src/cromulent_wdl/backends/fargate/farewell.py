"""Ends what an earlier head of a run left running and nobody of this one has taken over."""

from __future__ import annotations

import logging
from pathlib import Path

from ...errors import CromulentError
from .cloud import Cloud
from .headship import Headship
from .site import survivors_in
from .stopping import stop_all
from .survivors import Survivors

__all__ = ["stop_the_rest", "stop_what_is_left"]

_log = logging.getLogger(__name__)


def stop_the_rest(cloud: Cloud, directory: Path, survivors: Survivors) -> None:
    """Stop what runs of a run when its head ends, and wait until it has stopped, as long as it may take.

    That is what an earlier head left and nobody has taken. ECS is asked once more, since it may have hidden a task that
    was young when this head began, or one whose launch nobody heard the end of. Raises nothing.
    """
    try:
        survivors.find()
    except CromulentError as error:
        _log.warning("%s: what may run of it cannot be looked for: %s", directory, error)
    left = survivors.take_rest()
    for ecs in left:
        _log.warning("stopping %s, which no head of the run wants", ecs.identity)
    stop_all(cloud, directory, left, "No head of its run wants it")


def stop_what_is_left(cloud: Cloud, directory: Path) -> None:
    """Do so for a run that this process has not opened, unless another head leads it. Raises nothing."""
    try:
        settings = cloud.settings
        headship = Headship.take(directory, settings.head_patience, cloud.clock, settings.head_pause)
        try:
            stop_the_rest(cloud, directory, survivors_in(cloud, directory))
        finally:
            headship.leave()
    except (CromulentError, OSError) as error:
        _log.warning("%s: what an earlier head of the run left is not stopped: %s", directory, error)
