"""Where buckets are, and the keys to them, as boto3 knows both, for the runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...clock import SYSTEM, Clock
from ...errors import CromulentError
from ..access import Access, asking

if TYPE_CHECKING:
    from awscrt.auth import AwsCredentials, AwsSigningConfig

__all__ = ["Doorway", "Place"]

_GOOD_SECONDS = 5.0
"""botocore renews keys minutes before they expire."""


@dataclass(frozen=True)
class Place:
    """Where a bucket's objects are."""

    host: str
    path: str
    """What goes before the keys."""
    region: str
    secure: bool


class Doorway:
    """Knows the place of each bucket that it was asked for."""

    def __init__(self, access: Access, clock: Clock = SYSTEM) -> None:
        self._access = access
        self._places: dict[str, Place] = {}
        self._signings: dict[str, AwsSigningConfig] = {}
        self._clock = clock
        self._asked = -_GOOD_SECONDS
        self._credentials: AwsCredentials | None = None
        self.trouble: CromulentError | None = None
        """Why there were no credentials when a request was to be signed."""

    @property
    def secure(self) -> bool:
        """Whether S3 is spoken to by TLS: everywhere but on a simulator."""
        return self.place("any").secure

    def place(self, bucket: str) -> Place:
        """Return where a bucket is."""
        if bucket not in self._places:
            self._places[bucket] = self._look(bucket, self._access.region)
        return self._places[bucket]

    def moved(self, bucket: str, region: str) -> None:
        """Take note that a bucket is in another region than ours."""
        self._places[bucket] = self._look(bucket, region)

    def signing(self, region: str) -> AwsSigningConfig:
        """Return how requests to a region are signed."""
        if region not in self._signings:
            from awscrt.auth import AwsCredentialsProvider
            from awscrt.s3 import create_default_s3_signing_config

            keys = AwsCredentialsProvider.new_delegate(self._keys)
            self._signings[region] = create_default_s3_signing_config(region=region, credential_provider=keys)
        return self._signings[region]

    def _look(self, bucket: str, region: str) -> Place:
        """Have boto3 make an address that nobody calls: it has the host that boto3's own requests go to."""
        client: Any = self._access.client("s3", region=region)
        with asking(f"looking for bucket {bucket}"):
            address = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
        parts = urlsplit(address)
        return Place(parts.netloc, parts.path.removesuffix("/k"), region, parts.scheme == "https")

    def _keys(self) -> AwsCredentials:
        """Return the keys that a request is signed with; each is asked for them, in a thread of the runtime's."""
        from awscrt.auth import AwsCredentials

        now = self._clock.monotonic()
        if self._credentials is None or now - self._asked >= _GOOD_SECONDS:
            try:
                self._credentials = AwsCredentials(*self._access.keys())
            except CromulentError as error:
                self.trouble = error
                raise
            self._asked = now
        return self._credentials
