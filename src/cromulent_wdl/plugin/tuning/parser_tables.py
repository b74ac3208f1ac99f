"""Keeps the parser tables of the WDL grammars on disk between processes.

miniwdl has lark derive them anew in every process, at 130 ms for one version of WDL; loading takes a tenth of that.
Nothing can be told apart except by the clock: the callback that collects comments is given again on loading.

The tables lie in the user's cache directory in the format of .pyc files behind a digest, never as pickle. A file or
directory that is not ours alone, or a file that is not whole, is not read.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from ...storage import layout
from .replacement import Replacement

__all__ = ["PARSER"]

_Key = tuple[str, str]
"""A grammar and its start symbol: of what miniwdl makes one parser a process."""
_Tables = tuple[dict[str, Any], dict[int, Any]]
"""What lark can load a parser from."""
_DIGEST_SIZE = hashlib.sha256().digest_size


def _replace(parser: ModuleType) -> None:
    parser._lark_cache = _StoredParsers(parser._lark_comments_buffer.append)  # type: ignore[attr-defined]


PARSER = Replacement("parser", "WDL._parser", {"parse": "41dff76e36ee6644d9b4"}, _replace)


class _StoredParsers(dict[_Key, lark.Lark]):
    """miniwdl's memo of parsers, which also looks on disk. miniwdl uses it under a lock."""

    def __init__(self, on_comment: Callable[[lark.Token], object]) -> None:
        super().__init__()
        self._on_comment = on_comment

    def __contains__(self, key: object) -> bool:
        if not super().__contains__(key):
            tables = _read(_file_name(cast(_Key, key)))
            if tables is None:
                return False
            callbacks = {"COMMENT": self._on_comment}
            parser = lark.Lark._load_from_dict(*tables, lexer_callbacks=callbacks)  # type: ignore[no-untyped-call]
            super().__setitem__(cast(_Key, key), parser)
        return True

    def __setitem__(self, key: _Key, parser: lark.Lark) -> None:
        super().__setitem__(key, parser)
        tables, memo = parser.memo_serialize([TerminalDef, Rule])
        tables["options"] = {**tables["options"], "lexer_callbacks": {}}
        _write(_file_name(key), (tables, memo))


def _file_name(key: _Key) -> str:
    """Name the file after all that the tables depend on; the parser's options are part of the guarded source."""
    origin = repr((key, PARSER.functions["parse"], lark.__version__, sys.version))
    return hashlib.sha256(origin.encode()).hexdigest()[:32]


def _read(name: str) -> _Tables | None:
    """Return what was stored under the name, if it is whole and nobody else could have written it."""
    try:
        path = _directory() / name
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _check_ours(os.fstat(file.fileno()), stat.S_ISREG)
            content = memoryview(file.read())
    except OSError:
        return None
    if hashlib.sha256(content[_DIGEST_SIZE:]).digest() != content[:_DIGEST_SIZE]:
        return None
    return cast(_Tables, marshal.loads(content[_DIGEST_SIZE:]))


def _write(name: str, tables: _Tables) -> None:
    """Store the tables; where that cannot be, the next process derives them again."""
    content = marshal.dumps(tables)
    try:
        path = _directory() / name
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(file.name, path)
    except OSError:
        return


def _directory() -> Path:
    """Return the directory of stored tables. Raises OSError where others may write to it."""
    directory = layout.grammars_directory()
    _check_ours(os.lstat(directory), stat.S_ISDIR)
    return directory


def _check_ours(status: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError("not exclusively ours")
