"""Reads a WDL document and says in miniwdl's words, with line, column and excerpt, what is wrong with it."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import redirect_stderr

from WDL import CLI, Error, Tree, load, read_source_default
from WDL.Tree import ReadSourceResult

from ..errors import SourceError
from .guesses import absent

__all__ = ["read_document"]

ReadSource = Callable[[str, list[str], Tree.Document | None], Awaitable[ReadSourceResult]]

MOST_SHOWN = 40
"""Characters of what cannot be parsed; the line itself is shown below."""
_UNEXPECTED = re.compile(
    r"Unexpected token Token\('(?P<token>[^']+)', (?P<quote>['\"])(?P<text>.*?)(?P=quote)\) at line \d+, column \d+\.\n"
    r"Expected one of: \n(?P<expected>(?:\t\* \S+\n)+)(?:Previous tokens: [^\n]*\n)?\n?",
    re.DOTALL,
)
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
        if error.filename:
            raise absent(str(error.filename)) from error
        raise SourceError(f"'{uri}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{uri} is not a WDL document: it is not text in UTF-8") from error
    except _TROUBLE as error:
        if "\0" in (getattr(error, "source_text", None) or ""):
            raise SourceError(f"{uri} is not a WDL document: it is not text") from error
        if circle := _circle(error):
            raise SourceError(f"{circle[0]} imports itself: {' → '.join(circle)}") from error
        CLI.quant_warning = False
        text = io.StringIO()
        with redirect_stderr(text):
            CLI.print_error(error)
        said = _UNEXPECTED.sub(_in_short, text.getvalue().rstrip())
        if isinstance(error, OSError) or not said:
            refused = getattr(error, "code", None) is None and getattr(error, "reason", None)  # of a URLError
            said = f"{uri} cannot be read: {refused or said or error}"
        raise SourceError(said, hint=_hint(error)) from error


def _circle(error: BaseException | None) -> list[str] | None:
    """Return the documents that import one another round, the first at the end again; None where they do not."""
    chain: list[str] = []
    while isinstance(error, Error.ImportError):
        if error.pos.uri in chain:
            return [*chain[chain.index(error.pos.uri) :], error.pos.uri]
        chain.append(error.pos.uri)
        error = error.__cause__
    return None


def _in_short(found: re.Match[str]) -> str:
    """Say what the parser met and would have liked, without its lists of tokens."""
    token, text = found["token"], found["text"]
    expected = ", ".join(sorted(re.findall(r"\* _*(\w+)", found["expected"])))  # not $END
    met = "the document ends too early" if token == "$END" else f"{_excerpt(text)} cannot stand here"
    return f"{met}; expected: {expected}\n"


def _excerpt(text: str) -> str:
    line = text.partition("\\n")[0]
    return f"'{line if len(line) <= MOST_SHOWN else line[:MOST_SHOWN] + '…'}'"


def _reader(no_outside_imports: bool) -> ReadSource:
    """Return what reads sources: miniwdl's for URLs as well, spared its imports for HTTP while all is local."""
    anything: ReadSource = CLI.make_read_source(no_outside_imports)

    async def read(uri: str, path: list[str], importer: Tree.Document | None) -> ReadSourceResult:
        origins = (uri, importer.pos.abspath if importer else "")
        local = not any(origin.startswith(("http:", "https:")) for origin in origins)
        found = await (read_source_default if local and not no_outside_imports else anything)(uri, path, importer)
        if _is_all_comments(found.source_text):  # lark gives such a document no place, which the parser asks for
            raise SourceError(f"{uri} has nothing but comments")
        return found._replace(source_text=found.source_text.removeprefix("\ufeff"))  # which some editors write

    return read


def _is_all_comments(text: str) -> bool:
    lines = list(filter(None, map(str.strip, text.splitlines())))
    return bool(lines) and all(line.startswith("#") for line in lines)


def _hint(error: Exception) -> str | None:
    if isinstance(error, Error.ImportError | OSError):
        return None
    if not getattr(error, "declared_wdl_version", None):
        return "a document should begin with its WDL version: `version 1.1`"
    if CLI.quant_warning:  # set by print_error
        return "for older WDL, --no-quant-check is less strict about optional types"
    return None
