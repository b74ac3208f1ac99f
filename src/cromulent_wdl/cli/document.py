"""Reads a WDL document and says in miniwdl's words, with line, column and excerpt, what is wrong with it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr

from WDL import CLI, Error, Tree, load

from ..errors import SourceError

__all__ = ["read_document"]

_TROUBLE = (
    Error.SyntaxError,
    Error.ImportError,
    Error.ValidationError,
    Error.MultipleValidationErrors,
    OSError,  # URLError and HTTPError are among these
    UnicodeDecodeError,
)


def read_document(
    uri: str, path: Iterable[str] = (), check_quant: bool = True, no_outside_imports: bool = False
) -> Tree.Document:
    """Read, parse and type-check a WDL document. Raises SourceError, saying where in the text."""
    sys.setrecursionlimit(1_000_000)  # as miniwdl: expressions nest as deep as the machine's stack allows
    try:
        return load(uri, list(path), check_quant=check_quant, read_source=CLI.make_read_source(no_outside_imports))
    except FileNotFoundError as error:
        raise SourceError(f"there is no file {error.filename or uri}") from error
    except _TROUBLE as error:
        CLI.quant_warning = False
        text = io.StringIO()
        with redirect_stderr(text):
            CLI.print_error(error)
        raise SourceError(text.getvalue().rstrip() or f"{uri} cannot be read: {error}", hint=_hint(error)) from error


def _hint(error: Exception) -> str | None:
    if isinstance(error, Error.ImportError | OSError | UnicodeDecodeError):
        return None
    if not getattr(error, "declared_wdl_version", None):
        return "a document should begin with its WDL version: `version 1.1`"
    if CLI.quant_warning:  # set by print_error
        return "for older WDL, --no-quant-check is less strict about optional types"
    return None
