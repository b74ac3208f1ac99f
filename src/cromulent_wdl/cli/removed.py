"""What is told of a run that `gc`, or `down`, has removed: what is gone, and what can still be done."""

from __future__ import annotations

from pathlib import Path

from ..errors import RunNotFound
from .finding import in_cloud

__all__ = ["again", "gone", "refusal"]


def gone(directory: Path) -> str:
    """Return what of the run is no longer there."""
    if in_cloud(directory):
        return "outputs and record in the bucket; told from the copy of it here"
    return "its files, but for those that the call cache needs"


def again(directory: Path, run: str) -> str:
    """Return how one gets what the run had made; `run` is how it is named on a command line."""
    return f"cromulent rerun {run}" if _can_rerun(directory) else "the same `cromulent run` makes all of it anew"


def refusal(directory: Path, what: str, by: str) -> RunNotFound:
    """Return the error that something of the run is gone, by which command."""
    return RunNotFound(
        f"`cromulent {by}` has removed the {what} of {directory.name}",
        hint=f"what the call cache has kept is not done again: {again(directory, directory.name)}",
    )


def _can_rerun(directory: Path) -> bool:
    from ..runs.mirror import Mirror

    return not in_cloud(directory) or Mirror(directory).request() is not None
