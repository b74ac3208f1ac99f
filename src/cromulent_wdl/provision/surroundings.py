"""What a new deployment finds in the account: zones, a network that was given, storage that was given or kept."""

from __future__ import annotations

from dataclasses import dataclass

from ..aws import buckets, file_systems, network, tagging
from ..aws.access import Access
from ..aws.deployments import TAG
from ..aws.file_systems import FileSystem
from ..aws.network import Subnet
from ..errors import AwsError, UsageError
from .wishes import Wishes

__all__ = ["Kept", "Surroundings", "kept_storage", "look_around"]


@dataclass(frozen=True)
class Kept:
    """Storage of a deployment of this name that was kept when it was taken down; nothing where there is none."""

    bucket: str = ""
    file_system: str = ""
    kms_key: str = ""
    """The key of the user's that they are encrypted with."""


@dataclass(frozen=True)
class Surroundings:
    """What there is for a deployment that is to be made."""

    zones: tuple[str, ...] = ()
    """Ids of the region's zones; not asked for where subnets were given."""
    subnets: tuple[Subnet, ...] = ()
    file_system: FileSystem | None = None
    kept: Kept = Kept()


def look_around(access: Access, wishes: Wishes) -> Surroundings:
    """Return what there is. Raises UsageError where what was named is not there or cannot be used."""
    subnets = _given_subnets(access, wishes)
    kept = kept_storage(access, wishes.name)
    files = None
    if identity := wishes.file_system or kept.file_system:
        files = file_systems.find_file_system(access, identity)
        if files is None:
            raise UsageError(f"there is no file system {identity} in {access.region}")
    if wishes.bucket and not buckets.exists(access, wishes.bucket):
        raise UsageError(f"there is no bucket {wishes.bucket} that these credentials may read")
    return Surroundings(() if subnets else network.zones(access), subnets, files, kept)


def kept_storage(access: Access, name: str) -> Kept:
    """Return the storage that carries a deployment's tag. Raises UsageError where there is more than one of a kind."""
    arns = tagging.tagged(access, TAG, name, kinds=("s3", "elasticfilesystem:file-system"))
    names = [arn.rpartition(":")[2] for arn in arns if ":s3:" in arn]
    identities = [arn.rpartition("/")[2] for arn in arns if ":file-system/" in arn]
    held = [each for each in names if buckets.exists(access, each)]
    files = [each for each in identities if file_systems.find_file_system(access, each) is not None]
    for kind, found, option in (("buckets", held, "--bucket"), ("file systems", files, "--file-system")):
        if len(found) > 1:
            raise UsageError(
                f"{kind} {', '.join(found)} were all kept from a deployment '{name}'", hint=f"choose one with {option}"
            )
    key = buckets.key_of(access, held[0]) if held else ""
    return Kept("".join(held), "".join(files), key)


def _given_subnets(access: Access, wishes: Wishes) -> tuple[Subnet, ...]:
    if wishes.vpc and not wishes.subnets:
        there = ", ".join(each.identity for each in network.subnets_of(access, wishes.vpc))
        raise UsageError(f"which subnets of {wishes.vpc}?", hint=f"--subnets with one a zone of: {there or 'none'}")
    if not wishes.subnets:
        return ()
    try:
        found = network.subnets(access, wishes.subnets)
    except AwsError as error:
        if error.code.startswith("InvalidSubnetID"):
            raise UsageError(f"not all of {', '.join(wishes.subnets)} are there in {access.region}") from error
        raise
    if not network.resolves_names(access, found[0].vpc):
        raise UsageError(
            f"{found[0].vpc} does not resolve names, so that tasks would not find the file system",
            hint="turn on its enableDnsSupport and enableDnsHostnames",
        )
    return found
