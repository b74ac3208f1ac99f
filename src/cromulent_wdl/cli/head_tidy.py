"""What a head does that is to tidy the shared disk instead of running a workflow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from ..aws import objects
from ..aws.access import Access
from ..model.cloud_run import RunResult
from ..plugin.tidying import Disk, tidy
from ..runs.collection import old
from ..storage.bucket import RunKeys
from ..storage.downloaded import downloads_directory
from ..storage.layout import COPIES
from ..submit.tidying import TidyWish

__all__ = ["tidy_disk"]


def tidy_disk(access: Access, bucket: str, keys: RunKeys, mount: Path, given: Any) -> RunResult:
    """Do as the request says, and leave what came of it as outputs."""
    wish = msgspec.convert(given, type=TidyWish)
    runs = mount / "runs"
    names = os.listdir(runs) if runs.is_dir() else []
    going = old((each for each in names if each not in wish.kept), frozenset(wish.going_on), wish.before, 0)
    disk = Disk(tuple(runs / each for each in going), mount / "cache", (downloads_directory(mount), runs / COPIES))
    tidied = tidy(disk, wish.since, larger_than=wish.larger_than, remove=wish.remove)
    objects.put(access, bucket, keys.outputs, msgspec.json.encode(tidied))
    return RunResult(keys.run_id, "ok", outputs=f"s3://{bucket}/{keys.outputs}")
