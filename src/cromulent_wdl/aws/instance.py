"""The EC2 instance that we run on, as its metadata service (IMDSv2) tells; no permission is needed to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Instance", "this_instance"]

_SECONDS, _ATTEMPTS = 1, 2
"""No settings: the service is on the instance's own host, or there is none."""
_ROOT = "latest/meta-data/"


@dataclass(frozen=True)
class Instance:
    """Where an instance is."""

    region: str
    vpc: str
    subnet: str
    zone: str
    """The zone's id."""


def this_instance() -> Instance | None:
    """Return the instance that this is, or None where no metadata service answers: this is none, or it is off."""
    ask = _asker()
    if ask is None:
        return None
    interface = f"network/interfaces/macs/{ask('mac')}/"
    return Instance(
        region=ask("placement/region"),
        vpc=ask(interface + "vpc-id"),
        subnet=ask(interface + "subnet-id"),
        zone=ask("placement/availability-zone-id"),
    )


def _asker() -> Callable[[str], str] | None:
    """Return what asks for a path of the metadata, with a token in hand."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session
    from botocore.utils import IMDSFetcher

    session = Session()
    names = ("ec2_metadata_service_endpoint", "ec2_metadata_service_endpoint_mode", "ec2_metadata_v1_disabled")
    config = {name: session.get_config_variable(name) for name in names}
    # What fetches credentials and the region is botocore's own, and has no public name for other paths.
    fetcher: Any = IMDSFetcher(timeout=_SECONDS, num_attempts=_ATTEMPTS, config=config)
    try:
        token = fetcher._fetch_metadata_token()
    except (BotoCoreError, fetcher._RETRIES_EXCEEDED_ERROR_CLS):
        return None
    if token is None:
        return None
    return lambda path: str(fetcher._get_request(_ROOT + path, None, token).text).strip()
