"""Bytes and durations: parse what people write, print what people read."""

from __future__ import annotations

import re

__all__ = [
    "GIB",
    "KIB",
    "MIB",
    "counted",
    "format_bytes",
    "format_dollars",
    "format_duration",
    "format_memory",
    "parse_bytes",
    "parse_dollars",
    "parse_duration",
]

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

# WDL 1.1 spec, "runtime.memory": decimal K, M, G, T and binary Ki, Mi, Gi, Ti, each with or without B.
_BYTES = {"": 1, "B": 1}
for _power, _letter in enumerate("KMGT", start=1):
    _BYTES[_letter] = _BYTES[_letter + "B"] = 1000**_power
    _BYTES[_letter + "i"] = _BYTES[_letter + "iB"] = 1024**_power

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LEAST_DOLLARS = 0.000001
_AMOUNT = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


def _quantity(text: str, units: dict[str, float] | dict[str, int], example: str) -> float:
    match = _QUANTITY.fullmatch(text)
    if match is None or match.group(2) not in units:
        raise ValueError(f"{text!r} is not understood; write it like {example}")
    return float(match.group(1)) * units[match.group(2)]


def parse_bytes(text: str) -> int:
    """Return the bytes in "2 GiB", "500MB" or "1024"; ValueError says what is wrong."""
    return int(_quantity(text, _BYTES, "'4 GB', '512 MiB' or a number of bytes"))


def parse_dollars(text: str) -> float:
    """Return the amount in "2" or "0.50", above nothing; ValueError says what is wrong."""
    if not _AMOUNT.fullmatch(text) or not float(text):
        raise ValueError(f"{text!r} is no amount of dollars above nothing")
    return float(text)


def parse_duration(text: str) -> float:
    """Return the seconds in "90", "30s", "5m", "2h" or "1d"; ValueError says what is wrong."""
    return _quantity(text, _SECONDS, "'30s', '5m', '2h', '30d' or a number of seconds")


def counted(number: int, what: str) -> str:
    """Return a number of things in words: "1 run", "3 runs"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def format_bytes(count: float) -> str:
    """Return a size in decimal units with at most one decimal: "1.5 GB", "300 KB", "12 bytes"."""
    if count < 1000:
        return counted(int(count), "byte")
    for unit in ("KB", "MB", "GB"):
        count /= 1000
        if count < 999.95:
            return f"{count:.1f}".removesuffix(".0") + f" {unit}"
    return f"{count / 1000:.1f}".removesuffix(".0") + " TB"


def format_memory(count: float, of: float = 0) -> str:
    """Return memory in the units in which it was asked for, or what it is a part `of` was: "512 MiB", "4 GB".

    What is whole MiB was asked for in binary units.
    """
    if (of or count) % MIB or count < KIB:
        return format_bytes(count)
    if count < MIB - KIB / 2:
        return f"{count / KIB:.0f} KiB"
    number, unit = (count / GIB, "GiB") if count >= GIB - MIB / 20 else (count / MIB, "MiB")
    return f"{number:.1f}".removesuffix(".0") + f" {unit}"


def format_dollars(amount: float) -> str:
    """Return an amount with two decimals, and with more where those would be zero: "$12.40", "$0.0031"."""
    if 0 < amount < _LEAST_DOLLARS:
        return f"< ${_LEAST_DOLLARS:.6f}"
    decimals = 2 if amount >= 0.995 or amount == 0 else 4 if amount >= 0.001 else 6
    return f"${amount:,.{decimals}f}"


def format_duration(seconds: float) -> str:
    """Return "0:07", "12:40" or "3:05:00"; what is over a day stays in hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
