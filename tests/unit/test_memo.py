"""What an attempt's directory remembers: whether another does the same work, and nothing by which secrets are found."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from cromulent_wdl.backends.fargate.memo import fingerprint_of, note_attempt, same
from cromulent_wdl.model import Mount, Task
from tests.fakes.attempts import run_task

KEY, OTHER_KEY = b"one run's", b"another's"


def task_with(tmp_path: Path, secret: str) -> Task:
    return run_task(tmp_path, f"call-{secret}", "true", environment={"PIN": secret})


def test_the_same_work_is_known_again_and_other_work_is_not(tmp_path: Path) -> None:
    task = task_with(tmp_path, "1234")
    fingerprint = fingerprint_of(task, "true", KEY)
    note_attempt(tmp_path, task, fingerprint)
    assert same(tmp_path, fingerprint_of(task, "true", KEY))
    assert not same(tmp_path, fingerprint_of(task, "false", KEY))
    assert not same(tmp_path, fingerprint_of(replace(task, environment={"PIN": "4321"}), "true", KEY))


def test_an_input_is_the_same_under_another_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("by an earlier call")
    for name in ("out", "out.before"):
        (tmp_path / name).symlink_to("made")
    task = task_with(tmp_path, "1234")
    first, then, other = (
        fingerprint_of(replace(task, inputs=(Mount(tmp_path / name, "/in"),)), "cat /in", KEY)
        for name in ("out", "out.before", "elsewhere")
    )
    assert first == then != other


def test_who_has_not_the_runs_key_cannot_try_secrets(tmp_path: Path) -> None:
    task = task_with(tmp_path, "1234")
    noted = fingerprint_of(task, "true", KEY)
    assert noted not in {
        fingerprint_of(replace(task, environment={"PIN": f"{guess:04}"}), "true", OTHER_KEY) for guess in range(2000)
    }
