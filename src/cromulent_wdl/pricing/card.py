"""The prices of a region, and how far they can be trusted."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

import msgspec

__all__ = ["FALLBACK", "Card", "Price", "Rates", "shipped"]

FALLBACK = "us-east-1"
"""The region whose prices stand for those that are not known."""


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a price is for, and where it was read."""

    what: str
    per: str
    read: str
    """The day on which it was read, as `2026-09-29`."""
    state: str
    """`C` confirmed, `U` unconfirmed."""
    source: str
    everywhere: bool = False
    """Whether it is the same in every region."""


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All prices that are known."""

    prices: Mapping[str, Price]
    """By name: what each is for."""
    regions: Mapping[str, Mapping[str, float]]
    """By region and name, in dollars."""

    def rates(self, region: str) -> Rates:
        """Return the prices of a region; what is not known there is that of FALLBACK, and is said to be."""
        known = self.regions.get(region, {})
        borrowed = frozenset(name for name, price in self.prices.items() if name not in known and not price.everywhere)
        return Rates(region, {**self.regions[FALLBACK], **known}, borrowed, self.prices)


@dataclass(frozen=True)
class Rates:
    """The prices of one region: a dollar amount for every name on the card."""

    region: str
    amounts: Mapping[str, float]
    borrowed: frozenset[str]
    """Names of those that are another region's."""
    prices: Mapping[str, Price]

    def __getitem__(self, name: str) -> float:
        """Return a price in dollars."""
        return self.amounts[name]

    def note(self, names: Iterable[str]) -> str:
        """Say in one line of what day the prices of these names are, and which are not the region's own."""
        used = sorted(set(names))
        days = sorted({self.prices[name].read for name in used})
        text = f"list prices of {self.region}, read {' to '.join(dict.fromkeys((days[0], days[-1])))}" if used else ""
        borrowed = [self.prices[name].what for name in used if name in self.borrowed]
        if borrowed:
            text += f"; {FALLBACK}'s, as those of {self.region} are not known here, for {', '.join(borrowed)}"
        floating = any("spot" in name for name in used)
        return text + ("; Spot prices float" if floating else "")


@functools.cache
def shipped() -> Card:
    """Return the card that came with this version."""
    text = resources.files(__package__).joinpath("card.toml").read_bytes()
    return msgspec.toml.decode(text, type=Card)
