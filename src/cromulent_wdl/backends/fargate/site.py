"""A run as AWS knows it: its name there, its access point, its task definitions, and what an earlier head of it left.

What is made once for a run is remembered in its directory (`FARGATE_RUN`), so a later head of the same run is the same
to AWS: it finds what the earlier one started by that name, and takes it over or stops it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ...aws import access_points
from ...aws.access_points import AccessPoint, Wanted
from ...aws.decode import EcsTask
from ...aws.deployments import RUN_TAG, TAG
from ...errors import UsageError
from ...storage.layout import FARGATE_RUN
from ...storage.shared import SharedFiles
from .cloud import Cloud
from .copies import Copies
from .definitions import Definitions
from .errand import Asked
from .headship import Headship
from .survivors import Survivors, is_of, key_of

__all__ = ["Site", "not_mountable", "not_shared", "open_site", "survivors_in"]

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 100
"""Of 128 (facts: RunTask)."""


@dataclass(frozen=True)
class _Record:
    """What is made once for a run."""

    name: str
    deployment: str
    file_system: str
    access_point: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(32))
    """Of what is derived from its tasks' secrets."""


class Site:
    """One run."""

    def __init__(self, cloud: Cloud, directory: Path, shared: SharedFiles, record: _Record, headship: Headship) -> None:
        self.shared = shared
        self._directory = directory.name
        self._headship = headship
        self._ecs = cloud.ecs
        self.name = record.name
        """By which ECS knows who started its tasks."""
        self.access_point = record.access_point
        self.key = record.key.encode()
        self.copies = Copies(shared, cloud.files.window, cloud.digests)
        self._turns = itertools.count()
        self.definitions = Definitions(cloud.ecs, cloud.deployment, record.name)
        self.survivors = Survivors(cloud.ecs, record.name, directory)

    def started(self, key: str) -> tuple[EcsTask, ...]:
        """Return the tasks that ECS has started for the attempt of this key and that are to run. Raises AwsError."""
        return self.living(key, self._ecs.started_by(self.name))

    def living(self, key: str, arns: Sequence[str]) -> tuple[EcsTask, ...]:
        """Return those of the tasks that are the attempt's of this key and that are to run. Raises AwsError."""
        seen = self._ecs.describe_all(arns)
        return tuple(each for each in seen.tasks if self._is_ours(each) and key_of(each) == key and not each.over)

    def _is_ours(self, task: EcsTask) -> bool:
        return task.started_by == self.name and is_of(task, self._directory)

    def leave(self) -> None:
        """Let another head lead the run."""
        self._headship.leave()

    def next_turn(self) -> int:
        """Return a number that spreads tasks over what there are several of."""
        return next(self._turns)


def open_site(cloud: Cloud, directory: Path, asked: Asked) -> Site:
    """Return the run in the directory, with an access point. Raises CromulentError, OSError, Cancelled."""
    shared = cloud.files.of(directory)
    if shared is None:
        raise UsageError(
            not_shared(directory), hint="--dir takes a directory on it; the setting `mount` says where it is mounted"
        )
    objection = not_mountable(shared, directory)
    if objection is not None:
        raise UsageError(objection, hint="--dir takes another one")
    settings = cloud.settings
    headship = Headship.take(directory, settings.head_patience, cloud.clock, settings.head_pause, asked)
    try:
        return _open(cloud, directory, shared, headship)
    except BaseException:
        headship.leave()
        raise


def _open(cloud: Cloud, directory: Path, shared: SharedFiles, headship: Headship) -> Site:
    file = directory / FARGATE_RUN
    record = _read(file)
    known = record is not None and record.file_system == cloud.deployment.file_system
    if record is None or not known:
        name = cloud.settings.started_by or _name(directory.name)
        record = _Record(name, cloud.deployment.name, cloud.deployment.file_system)
        _write(file, record)  # before anything is made under that name
    point = access_points.find(cloud.access, record.access_point) if record.access_point else None
    if point is None or point.root != shared.path_in_file_system(directory):  # tasks can write the record, too
        point = _make_point(cloud, directory, shared, record)
        record = replace(record, access_point=point.identity)
        _write(file, record)
    site = Site(cloud, directory, shared, record, headship)
    if known:
        site.survivors.find()
    return site


def survivors_in(cloud: Cloud, directory: Path) -> Survivors:
    """Return what an earlier head of the run in the directory has left, to be looked for; the run is not opened."""
    record = _read(directory / FARGATE_RUN)
    return Survivors(cloud.ecs, record.name if record else "", directory)


def not_shared(directory: Path) -> str:
    """Return the sentence about a directory that tasks do not see."""
    return f"{directory} is not on the deployment's file system, by which tasks on Fargate get their files"


def not_mountable(shared: SharedFiles, directory: Path) -> str | None:
    """Return the sentence about a directory that tasks cannot be given, or None."""
    why = access_points.objection(shared.path_in_file_system(directory))
    return None if why is None else f"tasks on Fargate cannot have {directory} as their run's directory: {why}"


def _make_point(cloud: Cloud, directory: Path, shared: SharedFiles, record: _Record) -> AccessPoint:
    owner = directory.stat()
    wanted = Wanted(
        file_system=cloud.deployment.file_system,
        root=shared.path_in_file_system(directory),
        user=(owner.st_uid, owner.st_gid),
        token=hashlib.sha256(f"{record.name}/{record.access_point}".encode()).hexdigest(),
        tags={TAG: cloud.deployment.name, RUN_TAG: record.name, "Name": record.name},
    )
    return access_points.create(cloud.access, wanted, cloud.settings.access_point_patience, cloud.clock)


def _name(run_id: str) -> str:
    """Return a name that no other run has: run ids are those of directories, which may be called the same."""
    return f"{_NOT_IN_NAMES.sub('-', run_id)[:_LONGEST_NAME]}-{secrets.token_hex(6)}"


def _read(file: Path) -> _Record | None:
    try:
        found = json.loads(file.read_bytes())
        return _Record(**{name: str(found[name]) for name in _Record.__dataclass_fields__})
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _write(file: Path, record: _Record) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.touch(0o600)  # for its key
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(file)
