"""What the runtime and S3 say of a request that failed, as our errors."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape

from ...errors import AwsUnreachable
from ..access import refusal

__all__ = ["Abandoned", "Said", "failure"]

_FIELD = re.compile(rb"<(Code|Message)>([^<]*)</")
_OF_FILES = {
    "AWS_ERROR_NO_SPACE": errno.ENOSPC,
    "AWS_ERROR_NO_PERMISSION": errno.EACCES,
    "AWS_ERROR_FILE_INVALID_PATH": errno.ENOENT,
    "AWS_ERROR_DIRECTORY_NOT_EMPTY": errno.ENOTEMPTY,
    "AWS_ERROR_MAX_FDS_EXCEEDED": errno.EMFILE,
}


class Abandoned(Exception):
    """A request was given up because another one failed, or since nobody wants it any more."""


@dataclass(frozen=True)
class Said:
    """How a request ended."""

    error: BaseException | None = None
    """The runtime's; None where all went well."""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def failure(what: str, said: Said, keys: BaseException | None) -> BaseException:
    """Return the error to raise. `keys` is what went wrong when there should have been credentials, if anything."""
    name = str(getattr(said.error, "name", ""))
    if "CANCELED" in name:
        return Abandoned()
    if keys is not None and name.startswith("AWS_AUTH"):
        return keys
    if isinstance(said.error, OSError):
        return said.error
    if name in _OF_FILES:
        return OSError(_OF_FILES[name], os.strerror(_OF_FILES[name]), what)
    if said.status is not None and said.status >= 300:
        fields = {key: unescape(text.decode(errors="replace")) for key, text in _FIELD.findall(said.body)}
        return refusal(what, fields.get(b"Code", str(said.status)), fields.get(b"Message", f"status {said.status}"))
    told = str(getattr(said.error, "message", "") or said.error)
    return AwsUnreachable(f"S3 does not answer ({what}): {told}", hint="is there a network here?")
