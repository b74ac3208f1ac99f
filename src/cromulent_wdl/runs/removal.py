"""Whether `gc` has removed what a run left: a fact that no journal knows, noted beside what stays of the run.

`gc` notes it on the machine on which it is called. On others a run in the cloud that has ended still has its whole
copy, so its bucket is asked when somebody names the run; the answer that it is gone is for good.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import AwsError, CredentialsError
from ..storage import layout
from .mirror import Mirror

__all__ = ["look", "note"]


def note(directory: Path) -> None:
    """Note that what a run left was removed, where something of it stays."""
    if directory.is_dir():
        (directory / layout.REMOVED).touch()


def look(mirror: Mirror) -> bool:
    """Return whether the record of a run in the cloud was removed; where AWS cannot be asked, as far as is known."""
    noted = mirror.directory / layout.REMOVED
    if noted.exists() or mirror.result() is None or not mirror.was_there:
        return noted.exists()
    try:
        if not mirror.is_there():
            note(mirror.directory)
    except (AwsError, CredentialsError):
        return False  # what is known of the run is told all the same
    return noted.exists()
