"""`up --here`: what a deployment for the file system that is mounted on this host has to be like.

The host is an EC2 instance. Its tasks will run in its VPC, in its own subnet and in those others from which the file
system is reached and which lead out in the same way, as the user who asks, and see what is mounted here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..aws import access_points, file_systems, network
from ..aws.access import Access
from ..aws.file_systems import FileSystem
from ..aws.instance import Instance
from ..aws.network import Subnet
from ..errors import UsageError
from ..storage.shared import SharedFiles
from .wishes import Wishes

__all__ = ["Host", "choose_mount", "chosen_subnets", "invoking_user", "wishes_here"]

_ZONES = 3


@dataclass(frozen=True)
class Host:
    """The machine that we run on: where it is, what it shares, and whose files these will be."""

    instance: Instance
    shared: SharedFiles
    user: tuple[int, int]


def choose_mount(found: Sequence[SharedFiles], directory: str) -> SharedFiles:
    """Return the mount that is meant: the one that holds the directory, or the only one. Raises UsageError."""
    if not found:
        raise UsageError(
            "no EFS file system is mounted on this host",
            hint="mount one; or type `cromulent up`, which makes one that tasks on AWS share among themselves",
        )
    holding = [each for each in found if each.contains(directory)]
    if len(holding) == 1 or len(found) == 1:
        return (holding or list(found))[0]
    places = ", ".join(str(each.mount) for each in found)
    raise UsageError(f"several file systems are mounted here: {places}", hint="cd into the one that is meant")


def invoking_user(environ: Mapping[str, str], user: int, group: int) -> tuple[int, int]:
    """Return the user and group as whom tasks will write: who typed the command, sudo or not. Raises UsageError."""
    if user == 0:
        user, group = int(environ.get("SUDO_UID", 0)), int(environ.get("SUDO_GID", 0))
    if user == 0:
        raise UsageError(
            "tasks cannot be root on a file system of EFS", hint="type it as the user whose files they will be"
        )
    return user, group


def wishes_here(access: Access, wishes: Wishes, host: Host) -> Wishes:
    """Return the wishes with what this host gives. Raises UsageError where tasks could not share its files."""
    identity = wishes.file_system or host.shared.file_system
    if not identity:
        raise UsageError(
            f"what is mounted at {host.shared.mount} does not tell its id", hint="say it: --file-system fs-…"
        )
    files = file_systems.find_file_system(access, identity)
    if files is None:
        raise UsageError(f"there is no file system {identity} in {access.region}, where this host is")
    reached = [each for each in files.mount_targets if each.vpc == host.instance.vpc]
    if not reached:
        raise UsageError(
            f"{identity} has no mount target in {host.instance.vpc}, where this host is",
            hint="make the deployment with --file-system, --vpc and --subnets instead",
        )
    known = network.subnets(access, _once([host.instance.subnet, *(each.subnet for each in reached)]))
    subnets = wishes.subnets or tuple(each.identity for each in chosen_subnets(known, files))
    return replace(
        wishes,
        here=True,
        vpc=host.instance.vpc,
        subnets=subnets,
        file_system=identity,
        files_path=_path(access, host.shared),
        files_user=host.user,
    )


def chosen_subnets(known: Sequence[Subnet], files: FileSystem) -> tuple[Subnet, ...]:
    """Return the subnets for tasks, one a zone with a mount target; `known` are the host's and those of mount targets.

    Those others whose way out is not of the host's kind, or who have none, are left out.
    """
    host = known[0]
    zones = {each.zone for each in files.mount_targets}
    alike = [each for each in known if each.zone in zones and each.way_out and each.public == host.public]
    by_zone: dict[str, Subnet] = {}
    for each in alike:
        by_zone.setdefault(each.zone, each)
    return tuple(by_zone.values())[:_ZONES] or (host,)


def _path(access: Access, shared: SharedFiles) -> str:
    """Return the directory of the file system that is mounted: below the access point by which it was."""
    if not shared.access_point:
        return posixpath.normpath("/" + shared.root.strip("/"))
    point = access_points.find(access, shared.access_point)
    if point is None:
        raise UsageError(f"the access point {shared.access_point}, by which {shared.mount} is mounted, is gone")
    return posixpath.normpath(f"{point.root.rstrip('/')}/{shared.root.strip('/')}")


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
