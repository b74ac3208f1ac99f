"""What ECS answers, as values, and the table from AWS's reasons to endings: each row by an answer as AWS gives it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.aws.decode import ending_of_failure, ending_of_stop, is_throttle, task_of
from cromulent_wdl.model import Ending

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "recorded" / "tasks.json").read_text())


@pytest.mark.parametrize("recorded", RECORDED, ids=[each["row"] for each in RECORDED])
def test_the_ending_of_a_task(recorded: dict[str, Any]) -> None:
    task = task_of(recorded["task"])
    assert task.over
    ending, words = ending_of_stop(task)
    assert ending.value == recorded["ending"]
    assert bool(words) == (ending is not Ending.OK)
    said = recorded["task"].get("stoppedReason")
    if ending not in (Ending.OK, Ending.FAILED, Ending.OOM) and said:
        assert said[:60] in words  # AWS's own words are kept, for whoever looks them up


def test_a_task_has_all_that_the_record_says() -> None:
    task = task_of(RECORDED[0]["task"])
    assert (task.identity, task.started_by, task.provider, task.subnet) == ("0001", "run-1", "FARGATE", "subnet-1")
    assert task.command == ("/mnt/efs/run/.cromulent/attempts/a-1/script",)
    assert (task.exit_code, task.image_digest) == (0, "sha256:aa")
    assert (task.pull_started_at, task.started_at, task.stopped_at) == (1763840010.5, 1763840020.0, 1763840052.0)


def test_times_come_as_boto3_gives_them() -> None:
    at = datetime(2026, 11, 22, 19, 4, tzinfo=timezone.utc)
    assert task_of({"taskArn": "a", "startedAt": at}).started_at == at.timestamp()


def test_row_25_a_task_of_which_only_the_arn_is_known() -> None:
    task = task_of({"taskArn": "a"})
    assert (task.status, task.exit_code, task.command) == ("", None, ())
    assert not task.over


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        (
            "Capacity is unavailable at this time. Please try again later or in a different availability zone",
            Ending.CAPACITY,
        ),
        ("You’ve reached the limit on the number of vCPUs you can run concurrently", Ending.QUOTA),  # noqa: RUF001
        ("RESOURCE:ENI", Ending.CAPACITY),
        ("something that nobody has seen yet", Ending.CAPACITY),
        ("InsufficientFreeAddressesInSubnet", Ending.NETWORK),
    ],
)
def test_row_10_what_run_task_says_in_failures(reason: str, ending: Ending) -> None:
    found, words = ending_of_failure(reason)
    assert found is ending
    assert reason in words


@pytest.mark.parametrize(
    ("code", "words", "throttle"),
    [
        ("ThrottlingException", "Rate exceeded", True),
        ("InvalidParameterException", "Error retrieving subnet information for [subnet-1]: Rate exceeded", True),
        ("InvalidParameterException", "… (ErrorCode: RequestLimitExceeded)", True),
        ("InvalidParameterException", "The subnet ID 'subnet-1' does not exist", False),
        ("ServerException", "Service Unavailable", False),
    ],
)
def test_row_5_a_throttle_may_come_wrapped(code: str, words: str, throttle: bool) -> None:
    assert is_throttle(code, words) is throttle
