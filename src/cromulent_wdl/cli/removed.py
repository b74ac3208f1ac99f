"""What is told of a run that `gc` has removed: what is gone, and what can still be done."""

from __future__ import annotations

from pathlib import Path

from ..errors import RunNotFound
from .finding import in_cloud

__all__ = ["again", "gone", "refusal"]


def gone(directory: Path) -> str:
    """Return what of the run is no longer there."""
    if in_cloud(directory):
        return "its outputs and record in the bucket; what is told here is from the copy on this machine"
    return "its files, but for those that the call cache needs"


def again(directory: Path) -> str:
    """Return how one gets what the run had made."""
    if _can_rerun(directory):
        return f"cromulent rerun {directory.name} makes it anew; what the call cache has kept is not done again"
    return "the same `cromulent run` makes it anew; what the call cache has kept is not done again"


def refusal(directory: Path, what: str) -> RunNotFound:
    """Return the error that something of the run is gone."""
    return RunNotFound(f"`cromulent gc` has removed {what} of {directory.name} from the bucket", hint=again(directory))


def _can_rerun(directory: Path) -> bool:
    from ..runs.mirror import Mirror

    return not in_cloud(directory) or Mirror(directory).request() is not None
