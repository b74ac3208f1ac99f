"""`cromulent prices`: what AWS charges for what runs use, and where that is known from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from ..pricing.card import FALLBACK, Rates
from . import ui

__all__ = ["command"]


@dataclass(frozen=True)
class _Asked:
    """What the command line said."""

    profile: str | None
    region: str | None


@click.command("prices")
@click.option("--profile", metavar="NAME", help="The AWS profile.  [default: as the AWS CLI]")
@click.option("--region", metavar="NAME", help="The AWS region.  [default: as the AWS CLI, else us-east-1]")
@click.option("--refresh", is_flag=True, help="Ask AWS's Price List; the answer is kept for 30 days.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(profile: str | None, region: str | None, refresh: bool, as_json: bool) -> None:
    """Print what AWS charges for what runs use.

    The prices come with this version, each with its date. What is not known for a region is us-east-1's, and
    marked. Reckoned are list prices, without tax, free tiers, savings plans and discounts of your own.
    """
    from ..pricing.refresh import rates_of
    from ..storage import layout

    asked = _Asked(profile, region)
    place = _region(asked)
    if refresh:
        _refresh(asked, place)
    rates = rates_of(place, layout.prices_directory())
    if as_json:
        ui.json_result(_record(rates))
        return
    ui.data(f"Prices in {place}, in dollars")
    ui.table([_cells(rates, name) for name in rates.prices], indent=2, right=(1,))
    if rates.borrowed:
        ui.note(f"* {FALLBACK}'s: that of {place} is not known here. cromulent prices --refresh asks AWS.")
    if any(price.state == "U" for price in rates.prices.values()):
        ui.note("? not confirmed by a second source")
    ui.note("Spot prices float, and AWS's Price List may not have them.")


def _region(asked: _Asked) -> str:
    from ..errors import CredentialsError
    from .deployment import access_by, resolved

    try:
        return access_by(resolved({"profile": asked.profile, "region": asked.region}).settings).region
    except CredentialsError:
        if asked.profile:
            raise
        return FALLBACK


def _refresh(asked: _Asked, place: str) -> None:
    from ..aws.access import Access
    from ..aws.price_list import HOME, offers
    from ..pricing.refresh import ask, keep
    from ..storage import layout
    from .deployment import resolved

    settings = resolved({"profile": asked.profile}).settings
    access = Access(profile=settings.profile or None, region=HOME)
    answer = ask(place, lambda service: offers(access, service, place))
    keep(answer, layout.prices_directory())
    ui.note(f"AWS's Price List gave {len(answer.amounts)} prices of {place}; they are kept for 30 days.")


def _cells(rates: Rates, name: str) -> tuple[str, ...]:
    price = rates.prices[name]
    unsure = "*" if name in rates.borrowed else ""
    checked = price.read + (" ?" if price.state == "U" else "")
    return (
        price.what,
        f"{rates[name]:.8f}".rstrip("0") + unsure,
        _per(price.per),
        checked,
    )


def _per(unit: str) -> str:
    if unit.isalpha():
        return f"an {unit}" if unit == "hour" else f"a {unit}"
    return f"for {unit.partition(' ')[0]}"  # of what, the first column says


def _record(rates: Rates) -> dict[str, Any]:
    return {
        "region": rates.region,
        "prices": {
            name: {
                "dollars": rates[name],
                "what": price.what,
                "per": price.per,
                "read": price.read,
                "confirmed": price.state == "C",
                "source": price.source,
                "of": FALLBACK if name in rates.borrowed else rates.region,
            }
            for name, price in rates.prices.items()
        },
    }
