"""Rewrites the paths in values without leaving garbage that only the collector finds.

miniwdl does so for every value of a task half a dozen times, whether or not there are paths in it. Each time it makes
an inner function that refers to itself, a cycle with all that it holds: looking for these is a tenth of the CPU time of
a run. Here the function stands by itself, and a value is copied without going through `pickle`'s protocol, as `copy`
does. What may be told apart: nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Union

from .replacement import Replacement

if TYPE_CHECKING:
    from WDL import Value

    _Rewrite = Callable[[Union[Value.File, Value.Directory]], Union[str, None]]

__all__ = ["PATHS"]


def _replace(values: ModuleType) -> None:
    def rewrite_paths(v: Value.Base, f: _Rewrite) -> Value.Base:
        """Return a deep copy of a value in which `f` has rewritten each path, or has put null in its place."""
        twin = _copy(v)
        if isinstance(twin, (values.File, values.Directory)):
            path = f(twin)
            if path is None:
                null: Value.Base = values.Null(expr=twin.expr)
                return null
            kind = values.Directory if isinstance(twin, values.Directory) else values.File
            twin.value = kind(path, twin.expr).value
        else:
            twin.value = _of_parts(twin.value, f)
        return twin

    def _of_parts(parts: Any, f: _Rewrite) -> Any:
        """Return a copy of what a value is made of: values, lists, pairs and dictionaries of them, or a scalar."""
        if isinstance(parts, values.Base):
            return rewrite_paths(parts, f)
        if isinstance(parts, list):
            return [_of_parts(part, f) for part in parts]
        if isinstance(parts, tuple):
            left, right = parts
            return _of_parts(left, f), _of_parts(right, f)
        if isinstance(parts, dict):
            return {key: _of_parts(part, f) for key, part in parts.items()}
        # An assertion of the original's: there are no other values.
        assert parts is None or isinstance(parts, (int, float, bool, str))
        return parts

    values.rewrite_paths = rewrite_paths  # type: ignore[attr-defined]


def _copy(value: Value.Base) -> Value.Base:
    twin = object.__new__(type(value))
    vars(twin).update(vars(value))
    return twin


PATHS = Replacement("paths", "WDL.Value", {"rewrite_paths": "7925901f7ae9f0dc643a"}, _replace)
