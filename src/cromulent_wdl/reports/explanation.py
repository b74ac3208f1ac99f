"""An explanation as a value, and as lines of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Explanation", "Fact", "lines_of"]

_WIDTH = 80
_LABEL = 12


@dataclass(frozen=True)
class Fact:
    """A line with what it is about: `input`, `reads = …`. Verbatim text, such as a command, is never broken."""

    label: str
    text: str
    verbatim: bool = False


@dataclass(frozen=True)
class Explanation:
    """What happened, what bears on it, and what to do next."""

    headline: str
    facts: tuple[Fact, ...] = ()
    tries: tuple[str, ...] = ()


def lines_of(explanation: Explanation) -> list[str]:
    """Return the explanation as text for a terminal of 80 columns; a longer word, such as a path, stays whole."""
    lines = textwrap.wrap(explanation.headline, _WIDTH, break_long_words=False, break_on_hyphens=False)
    previous = ""
    for fact in explanation.facts:
        lines += _lines(fact, "" if fact.label == previous else fact.label)
        previous = fact.label
    for number, text in enumerate(explanation.tries):
        lines += _lines(Fact("try", text, verbatim=_has_command(text)), "" if number else "try")
    return lines


_COMMANDS = ("cromulent ", "df -h ", "less ")


def _has_command(text: str) -> bool:
    return any(command in text for command in _COMMANDS)


def _lines(fact: Fact, label: str) -> Iterable[str]:
    first = f"  {label:<{_LABEL}} "
    rest = " " * len(first)
    if fact.verbatim:
        return [(first + fact.text).rstrip()]
    wrapped = textwrap.wrap(
        fact.text, _WIDTH - len(first), break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return [(first if number == 0 else rest) + text for number, text in enumerate(wrapped or [""])]
