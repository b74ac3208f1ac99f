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
    from WDL import Env, Value

    _Rewrite = Callable[[Union[Value.File, Value.Directory]], Union[str, None]]

__all__ = ["PATHS"]


def _replace(values: ModuleType) -> None:
    files, directories, of_env = values.File, values.Directory, values.Env

    def rewrite_paths(v: Value.Base, f: _Rewrite) -> Value.Base:
        """Return a deep copy of a value in which `f` has rewritten each path, or has put null in its place."""
        twin: Value.Base = object.__new__(type(v))
        vars(twin).update(vars(v))
        if isinstance(twin, (files, directories)):
            path = f(twin)
            if path is None:
                null: Value.Base = values.Null(expr=twin.expr)
                return null
            kind = directories if isinstance(twin, directories) else files
            twin.value = kind(path, twin.expr).value
        else:
            twin.value = _of_parts(twin.value, rewrite_paths, f)
        return twin

    def rewrite_env_paths(env: Env.Bindings[Value.Base], f: _Rewrite) -> Env.Bindings[Value.Base]:
        """Return the same of all values under their names."""
        new: Env.Bindings[Value.Base] = of_env.Bindings()
        rewritten = [of_env.Binding(binding.name, rewrite_paths(binding.value, f)) for binding in env]
        for binding in reversed(rewritten):
            new = of_env.Bindings(binding, new)
        return new

    values.rewrite_paths = rewrite_paths  # type: ignore[attr-defined]
    values.rewrite_env_paths = rewrite_env_paths  # type: ignore[attr-defined]


def _of_parts(parts: Any, rewrite: Callable[[Any, _Rewrite], Any], f: _Rewrite) -> Any:
    """Return a copy of what a value is made of: values, lists, pairs and dictionaries of them, or a scalar."""
    if parts is None or isinstance(parts, (str, int, float, bool)):
        return parts
    if isinstance(parts, list):
        return [_of_parts(part, rewrite, f) for part in parts]
    if isinstance(parts, tuple):
        left, right = parts
        return _of_parts(left, rewrite, f), _of_parts(right, rewrite, f)
    if isinstance(parts, dict):
        return {key: _of_parts(part, rewrite, f) for key, part in parts.items()}
    return rewrite(parts, f)


PATHS = Replacement(
    "paths",
    "WDL.Value",
    {"rewrite_paths": "7925901f7ae9f0dc643a", "rewrite_env_paths": "0c0660e224b928771b17"},
    _replace,
)
