"""Quantities on the command line as people write them."""

from __future__ import annotations

import click

from ..errors import UsageError
from ..units import parse_dollars, parse_duration

__all__ = ["dollars", "seconds"]


def seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Turn a time into seconds."""
    try:
        return None if value is None else str(parse_duration(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def dollars(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Turn an amount into dollars. Raises UsageError."""
    try:
        return None if value is None else parse_dollars(value)
    except ValueError as error:
        raise UsageError(f"{parameter.opts[0]}: {error}", hint=f"write it like {parameter.opts[0]} 0.50") from error
