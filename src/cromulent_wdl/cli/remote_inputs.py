"""Inputs that are not on this machine, looked at before a run starts: are they there, and may the head read them?"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import requests
from WDL import Value

from ..aws import objects
from ..aws.access import Access
from ..errors import AwsDenied, AwsError, CredentialsError, InputsError
from ..model.deployment import Deployment
from ..provision.reading import readable_buckets
from ..submit.inputs import Bindings, leaves
from . import ui

__all__ = ["check_remote"]

_AT_ONCE = 16
_SECONDS = 20.0
"""No setting: a server that says nothing for so long will not serve the head either."""
_OPEN = "a head in the cloud fetches it: it must be an address that everybody can open"


def check_remote(access: Access, deployment: Deployment, inputs: Bindings) -> None:
    """Raise InputsError for an `s3://` or `https://` input that is not there, or that the head may not read."""
    found = {(leaf.value, isinstance(leaf, Value.Directory)) for leaf in leaves(inputs)}
    in_s3 = sorted(each for each in found if each[0].startswith("s3://"))
    on_web = sorted(address for address, _ in found if address.startswith(("http://", "https://")))
    if in_s3:
        readable = readable_buckets(access, deployment)
        for address, _ in in_s3:
            _check_bucket(address, deployment, readable)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda each: _check_in_s3(access, *each), in_s3))
        list(pool.map(_check_on_web, on_web))


def _check_bucket(address: str, deployment: Deployment, readable: frozenset[str] | None) -> None:
    bucket, _ = objects.split(address)
    if bucket != deployment.bucket and readable is not None and bucket not in readable:
        more = "" if deployment.name == "cromulent" else f" --name {deployment.name}"
        raise InputsError(
            f"the deployment '{deployment.name}' may not read {address}",
            hint=f"an administrator lets it: cromulent up{more} --read-bucket {bucket}",
        )


def _check_in_s3(access: Access, address: str, directory: bool) -> None:
    bucket, key = objects.split(address.rstrip("/"))
    try:
        there = (
            next(objects.listing(access, bucket, f"{key}/"), None) if directory else objects.find(access, bucket, key)
        )
    except AwsDenied:
        ui.note(f"note: {address} cannot be looked at from here; the head may read it")
        return
    except CredentialsError:
        raise
    except AwsError as error:
        if error.code in ("403", "AccessDenied"):
            ui.note(f"note: {address} cannot be looked at from here; the head may read it")
            return
        raise InputsError(f"{address} cannot be read: {error}", hint=error.hint) from error
    if there is None:
        raise InputsError(f"there is nothing at {address}")


def _check_on_web(address: str) -> None:
    try:
        answer = requests.head(address, allow_redirects=True, timeout=_SECONDS)
        if answer.status_code in (403, 405, 501):  # some serve files and refuse to be asked about them
            with requests.get(address, stream=True, timeout=_SECONDS) as opened:
                answer = opened
    except requests.RequestException as error:
        raise InputsError(f"{address} cannot be reached{_reason(error)}", hint=_OPEN) from error
    if not answer.ok:
        raise InputsError(f"{address} answers {answer.status_code} {answer.reason}", hint=_OPEN)


def _reason(error: Exception) -> str:
    """Return the system's own words in what a library says of a failed connection."""
    found = re.search(r"\[Errno -?\d+\] ([^')\"]+)", str(error))
    return f": {found[1]}" if found else " (it does not answer)" if isinstance(error, requests.Timeout) else ""
