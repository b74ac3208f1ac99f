"""A run that goes on in the directory in which an earlier head of it has died.

The engine makes a directory of links to a call's outputs, `out`, and refuses one that is there already. So what an
earlier head made is set aside when a new one begins; the call cache, whose entries tell of outputs by these links,
finds them there until the call's own `out` is made anew. Links in it are relative or lead elsewhere, so they hold.
A head may die over making links, too: what is not whole does not take the place of what is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import msgspec

from ..storage.layout import CALL_PREFIX, OUTPUTS, OUTPUTS_BEFORE, OUTPUTS_JSON
from .cache_entry import Entry

__all__ = ["set_aside", "where_outputs_are"]


def set_aside(run_directory: str) -> None:
    """Make room for the outputs of a run and of all its calls. Raises OSError."""
    for directory in _directories(run_directory):
        outputs, before = os.path.join(directory, OUTPUTS), os.path.join(directory, OUTPUTS_BEFORE)
        if os.path.lexists(outputs):
            if os.path.lexists(before):
                if not _are_whole(directory):
                    shutil.rmtree(outputs)
                    continue
                shutil.rmtree(before)
            os.rename(outputs, before)


def _are_whole(directory: str) -> bool:
    """Whether all links to the outputs were made, after which the engine writes them down."""
    try:
        written = os.stat(os.path.join(directory, OUTPUTS_JSON)).st_mtime_ns
    except FileNotFoundError:
        return False
    return written >= os.stat(os.path.join(directory, OUTPUTS)).st_mtime_ns


def _directories(directory: str) -> Iterator[str]:
    """Yield a run's directory and those of its calls, those of subworkflows' calls included."""
    yield directory
    with os.scandir(directory) as entries:
        calls = [each.path for each in entries if each.name.startswith(CALL_PREFIX) and each.is_dir()]
    for call in calls:
        yield from _directories(call)


def where_outputs_are(entry: Entry) -> Iterator[Entry]:
    """Yield the entry as it is, and then as it reads if its call's outputs were set aside."""
    yield entry
    outputs, before = os.path.join(entry.directory, OUTPUTS, ""), os.path.join(entry.directory, OUTPUTS_BEFORE, "")
    if os.path.isdir(before):
        yield msgspec.structs.replace(
            entry,
            outputs={name: _moved(value, outputs, before) for name, value in entry.outputs.items()},
            files={_moved(path, outputs, before): seen for path, seen in entry.files.items()},
        )


def _moved(value: object, old: str, new: str) -> object:
    if isinstance(value, str):
        return new + value.removeprefix(old) if value.startswith(old) else value
    if isinstance(value, list):
        return [_moved(each, old, new) for each in value]
    if isinstance(value, dict):
        return {key: _moved(each, old, new) for key, each in value.items()}
    return value
