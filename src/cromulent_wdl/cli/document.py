"""Reads a WDL document and says in miniwdl's words, with line, column and excerpt, what is wrong with it."""

from __future__ import annotations

import io
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import redirect_stderr

from WDL import CLI, Error, Tree, load, read_source_default
from WDL.Tree import ReadSourceResult

from ..errors import SourceError

__all__ = ["read_document"]

ReadSource = Callable[[str, list[str], Tree.Document | None], Awaitable[ReadSourceResult]]

_TROUBLE = (
    Error.SyntaxError,
    Error.ImportError,
    Error.ValidationError,
    Error.MultipleValidationErrors,
    OSError,  # URLError and HTTPError are among these
)


def read_document(
    uri: str, path: Iterable[str] = (), check_quant: bool = True, no_outside_imports: bool = False
) -> Tree.Document:
    """Read, parse and type-check a WDL document. Raises SourceError, saying where in the text."""
    sys.setrecursionlimit(1_000_000)  # as miniwdl: expressions nest as deep as the machine's stack allows
    try:
        return load(uri, list(path), check_quant=check_quant, read_source=_reader(no_outside_imports))
    except FileNotFoundError as error:
        # Python also raises this, nameless, where it finds no room for temporary files: on a full disk.
        raise SourceError(f"there is no file {error.filename}" if error.filename else str(error.strerror)) from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{uri} is not a WDL document: it is not text in UTF-8") from error
    except _TROUBLE as error:
        CLI.quant_warning = False
        text = io.StringIO()
        with redirect_stderr(text):
            CLI.print_error(error)
        raise SourceError(text.getvalue().rstrip() or f"{uri} cannot be read: {error}", hint=_hint(error)) from error


def _reader(no_outside_imports: bool) -> ReadSource:
    """Return what reads sources: miniwdl's for URLs as well, spared its imports for HTTP while all is local."""
    anything: ReadSource = CLI.make_read_source(no_outside_imports)

    async def read(uri: str, path: list[str], importer: Tree.Document | None) -> ReadSourceResult:
        origins = (uri, importer.pos.abspath if importer else "")
        local = not any(origin.startswith(("http:", "https:")) for origin in origins)
        return await (read_source_default if local and not no_outside_imports else anything)(uri, path, importer)

    return read


def _hint(error: Exception) -> str | None:
    if isinstance(error, Error.ImportError | OSError):
        return None
    if not getattr(error, "declared_wdl_version", None):
        return "a document should begin with its WDL version: `version 1.1`"
    if CLI.quant_warning:  # set by print_error
        return "for older WDL, --no-quant-check is less strict about optional types"
    return None
