"""What an expression is known to be before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Union

from WDL import Expr, Tree

__all__ = ["Constant", "constant"]

Constant = Union[str, int, float, bool, list["Constant"], None]

_DEPTH = 20
"""How far declarations are followed: as far as people go, and no further should they go round."""


def constant(expr: Expr.Base, depth: int = _DEPTH) -> Constant:
    """Return the value of a literal, of what is joined or reckoned from literals, or of a declaration that is such.

    An input's default counts as its value. None means that it is not known.
    """
    if isinstance(expr, Expr.Int | Expr.Float | Expr.Boolean):
        return expr.value
    if depth == 0:
        return None
    if isinstance(expr, Expr.String):
        return _string(expr, depth - 1)
    if isinstance(expr, Expr.Array):
        return _array(expr, depth - 1)
    if isinstance(expr, Expr.Get):
        return _declared(expr, depth - 1)
    return _applied(expr, depth - 1) if isinstance(expr, Expr.Apply) else None


def _string(expr: Expr.String, depth: int) -> Constant:
    if isinstance(expr, Expr.TaskCommand):
        return None
    if expr.literal is not None:
        return str(expr.literal.value)
    texts = []
    for part in expr.parts:
        value = part if isinstance(part, str) else None if part.options else constant(part.expr, depth)
        if not isinstance(value, str | int) or isinstance(value, bool):
            return None
        texts.append(str(value))
    return "".join(texts)[1:-1]


def _array(expr: Expr.Array, depth: int) -> Constant:
    items = [constant(item, depth) for item in expr.items]
    return None if None in items else items


def _declared(expr: Expr.Get, depth: int) -> Constant:
    referee = expr.expr.referee if expr.member is None and isinstance(expr.expr, Expr.Ident) else None
    return constant(referee.expr, depth) if isinstance(referee, Tree.Decl) and referee.expr is not None else None


def _applied(expr: Expr.Apply, depth: int) -> Constant:
    operands = [constant(operand, depth) for operand in expr.arguments]
    if expr.function_name in ("_add", "_interpolation_add") and all(isinstance(o, str) for o in operands):
        return "".join(str(operand) for operand in operands)
    reckon = _ARITHMETIC.get(expr.function_name)
    numbers = [o for o in operands if isinstance(o, int | float) and not isinstance(o, bool)]
    return reckon(*numbers) if reckon is not None and len(numbers) == len(operands) == 2 else None


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "_add": lambda left, right: left + right,
    "_sub": lambda left, right: left - right,
    "_mul": lambda left, right: left * right,
}
