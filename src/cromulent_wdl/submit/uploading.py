"""Brings a run's files into the deployment's bucket: what is not there yet, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from ..aws import objects
from ..aws.access import Access
from ..aws.transfers import Transfer, unfinished, upload
from ..errors import FileUnstable, InputsError
from ..storage.bucket import INPUTS, environment_key
from .environment import Environment
from .inputs import LocalFile

__all__ = ["missing", "send", "send_environment"]

_PAGE = 1000
_HEADS_A_PAGE = 20
"""How many single questions one page of a listing is worth: it takes as long as so many side by side."""
_ASKED_AT_ONCE = 24


def missing(access: Access, bucket: str, wanted: Mapping[str, LocalFile]) -> list[LocalFile]:
    """Return the files that the bucket lacks, or has in another size.

    For many files the bucket's list is read, as far as that is less work than to ask for each.
    """
    there: dict[str, int] = {}
    end = ""
    if len(wanted) > _HEADS_A_PAGE:
        pages = len(wanted) // _HEADS_A_PAGE
        for number, found in enumerate(objects.listing(access, bucket, INPUTS), start=1):
            there[found.key] = found.size
            if number == pages * _PAGE:
                end = found.key
                break
    else:
        end = INPUTS
    unknown = [file for key, file in wanted.items() if end and key > end]
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        answers = pool.map(lambda file: objects.find(access, bucket, file.key), unknown)
        there |= {found.key: found.size for found in answers if found is not None}
    return [file for key, file in wanted.items() if there.get(key) != file.size]


def send(access: Access, bucket: str, files: list[LocalFile], told: Callable[[int], None]) -> int:
    """Upload files, large ones from where an earlier upload of them broke off; return how many bytes that spared.

    What was sent before a failure is there the next time. Raises InputsError for a file that has changed since it was
    looked at.
    """
    transfers = [Transfer(file.path, bucket, file.key, state=file.state) for file in files]
    begun = unfinished(access, transfers)
    try:
        upload(access, transfers, told, begun)
    except FileUnstable as error:
        raise InputsError(str(error), hint=error.hint) from error
    return sum(each.bytes for each in begun.values())


def send_environment(
    access: Access,
    bucket: str,
    made: Environment,
    showing: Callable[[int], AbstractContextManager[Callable[[int], None] | None]] = lambda _: nullcontext(),
) -> None:
    """Upload what heads need, if the bucket lacks it; `showing` opens what is told of so many bytes."""
    key = environment_key(made.digest)
    if objects.find(access, bucket, key) is None:
        with showing(made.file.stat().st_size) as told:
            upload(access, [Transfer(made.file, bucket, key)], told)
