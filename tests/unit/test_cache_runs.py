"""The call cache and downloads in real runs, from outside: what is made again, what is not, and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.http_server import Answer, serving

WORKFLOW = """
version 1.2
import "library.wdl" as library
workflow total {
  input {
    File reads
    Array[String] words
  }
  call library.clean { input: reads }
  scatter (word in words) {
    call library.count { input: text = clean.text, patterns = write_lines([word]) }
  }
  call library.sum { input: counts = count.found, reference = clean.reference }
  output { Int total = sum.total }
}
"""

LIBRARY = """
version 1.2
task clean {
  input { File reads }
  command <<< grep -v '^#' ~{reads} > text; mkdir reference; echo index > reference/index >>>
  output {
    File text = "text"
    Directory reference = "reference"
  }
}
task count {
  input {
    File text
    File patterns
  }
  command <<< grep -c -f ~{patterns} ~{text} > found; [ ! -e ~{text}.stop ] || exit 1 >>>
  output { File found = "found" }
}
task sum {
  input {
    Array[File] counts
    Directory reference
  }
  command <<< expr 0 $(sed 's/^/+ /' ~{sep(" ", counts)}) >>>
  output { Int total = read_int(stdout()) }
}
"""

CALLS = {"clean", "count[0-a]", "count[1-b]", "sum"}


class Runs:
    """Runs of the workflow in one directory."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.number = 0
        self.log = ""
        (place / "total.wdl").write_text(WORKFLOW)
        (place / "library.wdl").write_text(LIBRARY)
        (place / "reads").write_text("# one\na\nb\nab\n")

    def start(self, *options: str, reads: str = "reads", **environment: str) -> subprocess.CompletedProcess[str]:
        self.number += 1
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        homes = {
            "XDG_STATE_HOME": f"{self.place}/state",
            "XDG_CACHE_HOME": f"{self.place}/cache",
            "HOME": f"{self.place}",
        }
        inputs = [f"reads={reads}", "words=a", "words=b"]
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "cromulent_wdl",
                "run",
                "-v",
                "-d",
                f"{self.number}/.",
                *options,
                "total.wdl",
                *inputs,
            ],
            cwd=self.place,
            env=inherited | homes | {"CROMULENT_BACKEND": "process"} | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def made(self, *options: str, reads: str = "reads", **environment: str) -> set[str]:
        """Run to the end; return the calls that were made, the others being from the cache."""
        done = self.start(*options, reads=reads, **environment)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["outputs"] == {"total.total": 4}
        self.log = done.stderr
        cached, made = self.of("call_cached"), self.of("task_started")
        assert cached.isdisjoint(made)
        assert cached | made == CALLS
        return made

    def of(self, kind: str) -> set[str]:
        """Return the calls of which the last run's journal has events of a kind."""
        lines = (self.place / f"{self.number}" / "journal.jsonl").read_text().splitlines()
        return {event["call"] for event in map(json.loads, lines) if event["event"] == kind}


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_a_second_run_makes_nothing_until_something_changes(runs: Runs) -> None:
    assert runs.made() == CALLS
    assert runs.made() == set()
    assert {origin.split("/")[0] for origin in origins(runs)} == {"1"}
    assert runs.made("--no-cache") == CALLS
    assert runs.made("--env", "TZ=Asia/Tokyo") == CALLS
    assert "[task_runtime] env has changed" in runs.log
    assert runs.made(PATH=f"{os.environ['PATH']}:/opt/other/bin") == CALLS
    assert "variable PATH has changed" in runs.log
    assert runs.made() == set()


def test_a_run_goes_on_in_its_own_directory(runs: Runs) -> None:
    runs.made()
    (runs.place / "library.wdl").write_text(LIBRARY.replace("expr 0", "expr  0"))
    for made in ({"sum"}, set()):
        runs.number = 0
        done = runs.start()
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["outputs"] == {"total.total": 4}
        assert of_last_head(runs, "task_started") == made
        assert of_last_head(runs, "call_cached") == CALLS - made


def of_last_head(runs: Runs, kind: str) -> set[str]:
    events = [json.loads(line) for line in (runs.place / "1" / "journal.jsonl").read_text().splitlines()]
    begun = max(number for number, event in enumerate(events) if event["event"] == "run_started")
    return {event["call"] for event in events[begun:] if event["event"] == kind}


def origins(runs: Runs) -> set[str]:
    lines = (runs.place / f"{runs.number}" / "journal.jsonl").read_text().splitlines()
    events = map(json.loads, lines)
    return {os.path.relpath(event["origin"], runs.place) for event in events if event["event"] == "call_cached"}


def test_what_follows_from_a_change_is_made_again_and_nothing_else(runs: Runs) -> None:
    runs.made()
    (runs.place / "reads").write_text("# two\na\nb\nab\n")
    assert runs.made() == {"clean"}, "the cleaned text is what it was, so whatever uses it is too"
    assert "the content of input reads has changed" in runs.log
    (runs.place / "reads").write_text("a\nab\nb\n")
    assert runs.made() == {"clean", "count[0-a]", "count[1-b]"}
    (runs.place / "library.wdl").write_text(LIBRARY.replace("expr 0", "expr  0"))
    assert runs.made() == {"sum"}
    assert "the task's WDL has changed" in runs.log


def test_an_output_that_was_touched_is_made_again(runs: Runs) -> None:
    runs.made()
    (runs.place / "1" / "call-count-0-a" / "work" / "found").write_text("7\n")
    assert runs.made() == {"count[0-a]"}
    assert "/out/found/found has changed" in runs.log
    assert runs.made() == set()


def test_after_a_failure_what_was_done_is_taken_from_the_cache(runs: Runs) -> None:
    (runs.place / "library.wdl").write_text(LIBRARY.replace("expr 0", "exit 3; expr 0"))
    assert runs.start().returncode == 3
    (runs.place / "library.wdl").write_text(LIBRARY)
    assert runs.made() == {"sum"}


def test_a_downloaded_input_is_known_by_content(runs: Runs) -> None:
    content = (runs.place / "reads").read_bytes()
    with serving(lambda path, headers: Answer(body=content) if path == "/reads" else Answer(404)) as server:
        assert runs.made(reads=f"{server.url}/reads") == CALLS
        assert runs.made(reads=f"{server.url}/reads") == set()
        assert runs.made() == set()
        failed = runs.start(reads=f"{server.url}/absent")
    assert failed.returncode == 2
    assert f"{server.url}/absent answered 404 Not Found" in failed.stderr


def test_plain_miniwdl_can_use_it_too(runs: Runs) -> None:
    settings = {
        "MINIWDL__SCHEDULER__CONTAINER_BACKEND": "cromulent",
        "MINIWDL__CROMULENT__BACKEND": "process",
        "MINIWDL__CALL_CACHE__BACKEND": "cromulent",
        "MINIWDL__CALL_CACHE__GET": "true",
        "MINIWDL__CALL_CACHE__PUT": "true",
        "HOME": str(runs.place),
        "XDG_STATE_HOME": str(runs.place / "state"),
        "XDG_CACHE_HOME": str(runs.place / "cache"),
    }
    for run in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "WDL", "run", "-d", f"{run}/.", "total.wdl", "reads=reads", "words=a", "words=b"],
            cwd=runs.place,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        runs.number = int(run)
        assert runs.of("call_cached") == (CALLS if run == "2" else set())
