"""`cromulent up --here`: looks at this host, and says what it found."""

from __future__ import annotations

import os
from pathlib import Path

from ..aws.access import Access
from ..aws.instance import this_instance
from ..config import Settings
from ..errors import CredentialsError, UsageError
from ..provision.here import Host, choose_mount, invoking_user, wishes_here
from ..provision.wishes import Wishes
from ..storage.shared import SharedFiles, all_shared
from . import ui

__all__ = ["found"]


def found(access: Access, wishes: Wishes, settings: Settings) -> tuple[Access, Wishes]:
    """Return the wishes with what this host gives, and the way into its region, unless another was chosen.

    Raises UsageError where there is nothing that tasks could share.
    """
    user, shared = invoking_user(os.environ, os.getuid(), os.getgid()), _shared(settings)
    instance = this_instance()
    if instance is None:
        raise UsageError(
            "this is no EC2 host, or its metadata service does not answer",
            hint="elsewhere: cromulent up --vpc … --subnets … --file-system …",
        )
    try:
        region = access.region
    except CredentialsError:
        access = Access(profile=settings.profile or None, region=instance.region)
        region = instance.region
    if region != instance.region:
        raise UsageError(
            f"this host is in {instance.region}, not in {region}", hint=f"leave --region out, or give {instance.region}"
        )
    there = wishes_here(access, wishes, Host(instance, shared, user))
    ui.note(f"Here {shared.mount} is {there.files_path} of {there.file_system}, in {instance.vpc}; you are {user[0]}.")
    if user[0] == os.geteuid() and not os.access(shared.mount, os.W_OK):
        ui.note(f"You may not write in {shared.mount}: runs whose head is on AWS will not be able to, either.")
    return access, there


def _shared(settings: Settings) -> SharedFiles:
    """Return the file system that the settings name, or else the one that is mounted here."""
    if settings.mount:
        return SharedFiles(Path(settings.mount), settings.mount_root or "/", settings.file_system)
    return choose_mount(all_shared(), os.getcwd())
