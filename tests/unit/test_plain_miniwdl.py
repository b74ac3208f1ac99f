"""What our package means to somebody who types `miniwdl run`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import bare_backend

WORKFLOW = """
version 1.1
workflow w {
  input { File file }
  scatter (i in range(2)) { call t { input: file = file, i = i } }
  output { Array[File] copies = t.copy }
}
task t {
  input { File file
    Int i }
  command <<< cat ~{basename(file)} 2>/dev/null; echo ~{i} > out; echo said; echo erred >&2 >>>
  output { File copy = "out" }
}
"""


CHANGED = """
import atexit, importlib, sys
from WDL import CLI

def tell():
    from cromulent_wdl.plugin.tuning.installation import _REPLACEMENTS
    from cromulent_wdl.plugin.tuning.replacement import digest
    changed = []
    for each in _REPLACEMENTS.values():
        module = importlib.import_module(each.module)
        changed += [each.name for name, known in each.functions.items() if digest(module, name) != known]
    print("changed:", *changed, file=sys.stderr)

atexit.register(tell)
CLI.main()
"""
"""Runs miniwdl, and then says which functions of its are not its own any more."""


def miniwdl(
    place: Path, backend: str, program: tuple[str, ...] = ("-m", "WDL"), **environment: str
) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CROMULENT_", "MINIWDL_"))}
    homes = {"XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache"), "HOME": str(place)}
    (place / "w.wdl").write_text(WORKFLOW)
    (place / "file.txt").write_text("content")
    return subprocess.run(
        [sys.executable, *program, "run", "--dir", "run/.", "w.wdl", "file=file.txt"],
        cwd=place,
        env=inherited | homes | {"MINIWDL__SCHEDULER__CONTAINER_BACKEND": backend} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def files_and_records(run: Path) -> dict[str, str]:
    """Return every file of a run with what does not depend on the moment and the place."""
    found = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_dir():
            found[name] = "directory"
        else:
            text = path.read_text().replace(str(run.parent), "PLACE")
            text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "WHEN", text)
            found[name] = "\n".join(sorted(re.sub(r"thread: \d+", "thread: T", text).splitlines()))
    return found


def test_for_another_backend_it_is_as_if_we_were_not_installed(tmp_path: Path) -> None:
    bare_backend.install(tmp_path / "site")
    runs = {}
    for what, patterns in {"with": "[]", "without": '["cromulent_wdl*"]'}.items():
        place = tmp_path / what
        place.mkdir()
        done = miniwdl(place, "bare", PYTHONPATH=str(tmp_path / "site"), MINIWDL__PLUGINS__DISABLE_PATTERNS=patterns)
        assert done.returncode == 0, done.stderr
        runs[what] = files_and_records(place / "run")
        assert not (place / "state").exists()
        assert not (place / "cache" / "cromulent").exists()
    assert runs["with"] == runs["without"]
    assert "journal.jsonl" not in runs["with"]


@pytest.mark.parametrize("configured", ["environment", "file"])
def test_chosen_our_backend_runs_the_tasks_and_keeps_the_journal(tmp_path: Path, configured: str) -> None:
    if configured == "file":
        (tmp_path / "miniwdl.cfg").write_text("[cromulent]\nbackend = process\nsandbox = never\n")
        done = miniwdl(tmp_path, "cromulent", MINIWDL_CFG=str(tmp_path / "miniwdl.cfg"))
    else:
        done = miniwdl(tmp_path, "cromulent", MINIWDL__CROMULENT__BACKEND="process")
    assert done.returncode == 0, done.stderr
    assert "unused" not in done.stderr
    copies = json.loads(done.stdout)["outputs"]["w.copies"]
    assert [Path(copy).read_text() for copy in copies] == ["0\n", "1\n"]
    events = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[-1] == {"v": 1, "at": events[-1]["at"], "event": "run_ended", "ending": "ok"}
    assert sorted(event["call"] for event in events if event["event"] == "call_ended") == ["t[0]", "t[1]"]


@pytest.mark.parametrize(
    ("backend", "tuning", "changed"),
    [("cromulent", "", ["plugins"]), ("cromulent", "off", []), ("bare", "", [])],
)
def test_of_the_engine_only_the_look_up_of_plugins_is_changed(
    tmp_path: Path, backend: str, tuning: str, changed: list[str]
) -> None:
    bare_backend.install(tmp_path / "site")
    surroundings = {"PYTHONPATH": str(tmp_path / "site"), "MINIWDL__CROMULENT__BACKEND": "process"}
    done = miniwdl(tmp_path, backend, ("-c", CHANGED), CROMULENT_TUNING=tuning, **surroundings)
    assert done.returncode == 0, done.stderr
    (found,) = [line.split()[1:] for line in done.stderr.splitlines() if line.startswith("changed:")]
    assert found == changed


def test_an_unknown_setting_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    done = miniwdl(tmp_path, "cromulent", MINIWDL__CROMULENT__BAKEND="process")
    assert done.returncode != 0
    assert "there is no setting 'bakend'" in done.stderr
