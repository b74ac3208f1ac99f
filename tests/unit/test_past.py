"""What the next head of a run makes of the journal of those before, and what that leaves of a call's retries."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.backends.retries import Allowances
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.config import Settings
from cromulent_wdl.model import CallEnded, EcsTaskLaunched, Ending, Event, Outcome, RunEnded, TaskEnded, TaskImage
from cromulent_wdl.plugin.past import past_of
from cromulent_wdl.plugin.repeats import Repeats, granted
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.units import GIB
from tests.fakes.process_tasks import process_task
from tests.programs import ended, kill, running

ALLOWED = Allowances(preemptible=2, memory=1, failures=1)


def launched(attempt: int, memory: int, call: str = "one") -> EcsTaskLaunched:
    return EcsTaskLaunched(0.0, call, attempt, "arn", "spot", "eu-west-1", "X86_64", 1.0, memory, 30)


def over(attempt: int, ending: Ending, call: str = "one") -> TaskEnded:
    return TaskEnded(0.0, call, attempt, ending, message="it ended")


def test_attempts_are_remembered_with_what_they_had_and_images_with_their_first_digests() -> None:
    images = [TaskImage(0.0, "one", number, "busybox", digest) for number, digest in enumerate(("", "a", "b"))]
    past = past_of([*images, launched(1, 2 * GIB), over(1, Ending.OOM), over(2, Ending.LOST)])
    assert past.images == {"busybox": "a"}
    first, second = past.attempts["one"][1], past.attempts["one"][2]
    assert (first.ending, first.message, first.memory, first.disk) == (Ending.OOM, "it ended", 2 * GIB, 30 * GIB)
    assert (second.ending, second.memory, second.disk) == (Ending.LOST, 0, 0)


def test_an_attempt_that_two_heads_saw_the_end_of_counts_once_as_the_second_has_it() -> None:
    past = past_of([launched(1, GIB), over(1, Ending.LOST), over(1, Ending.OOM)])
    assert {number: each.ending for number, each in past.attempts["one"].items()} == {1: Ending.OOM}
    assert past.attempts["one"][1].memory == GIB


@pytest.mark.parametrize(
    ("end", "left"), [(CallEnded(0.0, "one", Ending.FAILED), {"two"}), (RunEnded(0.0, Ending.STOPPED), set())]
)
def test_what_has_ended_for_good_begins_anew(end: Event, left: set[str]) -> None:
    events = [over(1, Ending.OOM), over(1, Ending.OOM, "two"), end]
    assert set(past_of(events).attempts) == left
    assert past_of([*events, over(2, Ending.SPOT)]).attempts["one"].keys() == {2}


def earlier(*endings: Ending) -> dict[int, Outcome]:
    return {number: Outcome(ending, memory=2 * GIB) for number, ending in enumerate(endings, 1)}


def test_row_28_memory_stays_doubled_and_is_not_doubled_again(tmp_path: Path) -> None:
    repeats, task = Repeats(ALLOWED, elastic=True, earlier=earlier(Ending.OOM)), process_task(tmp_path, "true")
    assert repeats.applied(task).resources.memory == 4 * GIB
    said = repeats.begin(anew=True)
    assert said is not None and "again with 4 GiB" in said.why
    assert repeats.begin(anew=True) is None, "it is said once"
    assert repeats.after(Outcome(Ending.OOM, memory=4 * GIB)) is None


def test_row_19_losses_of_spot_go_on_being_counted(tmp_path: Path) -> None:
    repeats, task = Repeats(ALLOWED, elastic=True, earlier=earlier(Ending.SPOT)), process_task(tmp_path, "true")
    assert repeats.applied(task).preemptible
    again = repeats.after(Outcome(Ending.SPOT))
    assert again is not None and "(2 of 2): now on demand" in again.why
    assert not repeats.applied(task).preemptible


@pytest.mark.parametrize("taken", [True, False])
def test_an_attempt_that_is_taken_over_is_not_counted_before_it_has_ended_here(tmp_path: Path, taken: bool) -> None:
    repeats, task = Repeats(ALLOWED, elastic=True, earlier=earlier(Ending.OOM), begun=1), process_task(tmp_path, "true")
    assert repeats.applied(task).resources.memory == 0
    said = repeats.begin(anew=not taken)
    assert (said is None) == taken
    again = repeats.after(Outcome(Ending.OOM, memory=(2 if taken else 4) * GIB))
    assert (again is None) == (not taken)
    assert repeats.applied(task).resources.memory == 4 * GIB
    assert repeats.begin(anew=True) is None


def test_the_engine_gives_no_more_retries_than_were_asked_for_in_all() -> None:
    fresh = Repeats(ALLOWED, elastic=True)
    fresh.after(Outcome(Ending.FAILED))
    fresh.after(Outcome(Ending.FAILED))
    assert not fresh.final(Ending.FAILED), "the engine counts for itself"
    resumed = Repeats(ALLOWED, elastic=True, earlier=earlier(Ending.FAILED, Ending.SPOT))
    assert not resumed.final(Ending.FAILED)
    resumed.after(Outcome(Ending.FAILED))
    assert resumed.final(Ending.FAILED)


def test_without_a_cloud_interruptions_are_counted_first_and_then_as_failures() -> None:
    losses = earlier(Ending.LOST, Ending.NETWORK, Ending.STOPPED, Ending.LOST)
    repeats, runtime = Repeats(ALLOWED, elastic=False, earlier=losses), {"preemptible": 2, "maxRetries": 1}
    repeats.leave_to_engine(runtime)
    assert runtime["preemptible"] == 0
    assert repeats.begin(anew=True) is None
    assert not repeats.final(Ending.FAILED)
    repeats.after(Outcome(Ending.OOM))
    assert repeats.final(Ending.OOM)


@pytest.mark.parametrize(
    ("elastic", "spot", "runtime", "expected"),
    [
        (True, True, {}, (2, 0)),
        (True, True, {"preemptible": 5, "maxRetries": 3}, (5, 3)),
        (True, False, {"preemptible": 5}, (0, 0)),
        (False, True, {}, (0, 0)),
        (False, False, {"preemptible": 5}, (5, 0)),
    ],
)
def test_what_the_user_grants(elastic: bool, spot: bool, runtime: dict[str, Any], expected: tuple[int, int]) -> None:
    found = granted(runtime, Settings(spot=spot), elastic=elastic)
    assert (found.preemptible, found.failures) == expected


FAILS = """
version 1.1
task fails {
  command <<<
    echo >> "$TALLY"
    [ $(wc -l < "$TALLY") -ne 2 ] || sleep 974
    exit 3
  >>>
  runtime { maxRetries: 1 }
}
"""


def test_after_kill_9_a_task_on_this_machine_gets_what_is_left_of_its_retries(tmp_path: Path) -> None:
    (tmp_path / "fails.wdl").write_text(FAILS)
    tally = tmp_path / "tally"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CROMULENT_", "MINIWDL_"))},
        "XDG_STATE_HOME": f"{tmp_path}/state",
        "XDG_CACHE_HOME": f"{tmp_path}/cache",
        "CROMULENT_SANDBOX": "never",
        "CROMULENT_RETRY_PAUSE": "0",
    }
    command = [sys.executable, "-m", "cromulent_wdl", "run", "fails.wdl", "--backend", "process", "--dir", "run/."]

    def attempts() -> int:
        return tally.read_text().count("\n") if tally.exists() else 0

    def head() -> Any:
        return running([*command, "--env", f"TALLY={tally}"], cwd=tmp_path, env=environment)

    with head() as first:
        end = SYSTEM.monotonic() + 60
        while attempts() < 2 and SYSTEM.monotonic() < end:
            SYSTEM.sleep(0.05)
        kill(first)
    for total in (3, 5):  # what was left of them, and then, of a call that has failed for good, all of them
        with head() as later:
            ended(later)
        assert (later.returncode, attempts()) == (3, total)
    endings = [
        each.ending for each in JournalReader(tmp_path / "run/journal.jsonl").new() if isinstance(each, TaskEnded)
    ]
    assert endings == [Ending.FAILED] * 4
