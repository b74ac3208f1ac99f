"""When miniwdl is tuned, when it is left alone, and what people are told about it."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest
import WDL
from WDL import _parser

from cromulent_wdl.plugin.tuning.installation import _REPLACEMENTS, RUNNING
from cromulent_wdl.plugin.tuning.replacement import digest
from tests.fakes.second_copy import second_copy

REPORT = """
import json, sys
from cromulent_wdl.plugin import tuning
outcomes = dict(tuning.install(tuning.PARSING)) if "parsing" in sys.argv else dict(tuning.install())
names = {"runtime": "WDL.runtime" in sys.modules, "outcomes": outcomes}
print(json.dumps(names))
"""


def in_new_process(code: str, place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CROMULENT_", "MINIWDL_"))}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=inherited | {"XDG_CACHE_HOME": str(place)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def outcomes(place: Path, *arguments: str, **environment: str) -> dict[str, str]:
    done = in_new_process(REPORT, place, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["outcomes"]
    assert isinstance(found, dict)
    return found


def test_everything_is_on_with_the_miniwdl_that_is_installed(tmp_path: Path) -> None:
    assert outcomes(tmp_path) == dict.fromkeys(RUNNING, "on")


@pytest.mark.parametrize(
    ("asked", "on"), [("off", []), ("parser", ["parser"]), ("plugins, parser", ["parser", "plugins"])]
)
def test_the_environment_narrows(tmp_path: Path, asked: str, on: list[str]) -> None:
    found = outcomes(tmp_path, CROMULENT_TUNING=asked)
    assert sorted(name for name, outcome in found.items() if outcome == "on") == on
    assert {outcome for outcome in found.values() if outcome != "on"} == {f"off: CROMULENT_TUNING={asked}"}


def test_a_name_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    done = in_new_process(REPORT, tmp_path, CROMULENT_TUNING="parser,chmod")
    assert "CROMULENT_TUNING names no replacement 'chmod'" in done.stderr


def test_parsing_alone_does_not_import_the_runtime(tmp_path: Path) -> None:
    done = in_new_process(REPORT, tmp_path, "parsing")
    assert json.loads(done.stdout) == {"runtime": False, "outcomes": {"parser": "on"}}


def test_installing_twice_replaces_once(tmp_path: Path) -> None:
    done = in_new_process(
        "from cromulent_wdl.plugin import tuning; from WDL.runtime import task\n"
        "tuning.install(); first = task.chmod_R_plus\n"
        "tuning.install(); assert task.chmod_R_plus is first",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_a_function_that_somebody_else_replaced_is_left_alone(tmp_path: Path) -> None:
    done = in_new_process(
        "from cromulent_wdl.plugin import tuning; from WDL.runtime import config\n"
        "mine = config.load_all_plugins = lambda cfg, group: iter(())\n"
        "assert tuning.install()['plugins'].startswith('off: '); assert config.load_all_plugins is mine",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def other_miniwdl(tmp_path: Path) -> Path:
    """A miniwdl in which every function that a replacement knows says one thing more."""
    site = tmp_path / "site"
    shutil.copytree(Path(WDL.__file__).parent, site / "WDL", ignore=shutil.ignore_patterns("__pycache__"))
    for module, first_line in (
        ("_parser.py", "def parse("),
        ("StdLib.py", "    def __init__(\n        self, wdl_version: str, write_dir"),
        ("_util.py", "def chmod_R_plus("),
        ("_util.py", "def write_atomic("),
        ("_util.py", "def path_really_within("),
        ("Value.py", "def rewrite_paths("),
        ("Error.py", "    def source_dir("),
        ("runtime/config.py", "def load_all_plugins("),
        ("runtime/config.py", "    def override("),
        ("runtime/_workflow_state.py", "    def _schedule("),
        ("runtime/task_container.py", "def new("),
        ("runtime/task.py", "def _try_task("),
    ):
        path = site / "WDL" / module
        text = path.read_text()
        start = text.index(first_line)
        body = text.index(":\n", text.index(")", start)) + 2
        indent = "    " * (2 if first_line.startswith(" ") else 1)
        path.write_text(text[:body] + f"{indent}_another_version = True\n" + text[body:])
    return site


def test_another_version_is_left_alone_and_says_so(tmp_path: Path, other_miniwdl: Path) -> None:
    assert outcomes(tmp_path, PYTHONPATH=str(other_miniwdl)) == {
        name: f"off: {function} is not the one that it was written for"
        for name, function in {
            "parser": "WDL._parser.parse",
            "plugins": "WDL.runtime.config.load_all_plugins",
            "library": "WDL.StdLib.Base.__init__",
            "permissions": "WDL.runtime.task.chmod_R_plus",
            "jobs": "WDL.runtime._workflow_state.StateMachine._schedule",
            "options": "WDL.runtime.config.Loader.override",
            "paths": "WDL.Value.rewrite_paths",
            "names": "WDL._util.write_atomic",
            "places": "WDL.Error.SourceNode.source_dir.fget",
            "containment": "WDL.runtime.task_container.path_really_within",
            "backend": "WDL.runtime.task_container.new",
            "builds": "WDL.runtime.task._try_task",
        }.items()
    }


def test_the_command_says_what_is_off_and_works(tmp_path: Path, other_miniwdl: Path) -> None:
    command = [sys.executable, "-m", "cromulent_wdl", "--version", "--verbose"]
    environment = {**os.environ, "PYTHONPATH": str(other_miniwdl), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("tuning")]
    assert "off for miniwdl 1." in line and "parser off: WDL._parser.parse is not the one" in line


def test_a_function_that_is_gone_has_no_digest() -> None:
    assert digest(second_copy("WDL._parser"), "parse_everything") is None


def test_importing_us_changes_nothing_in_miniwdl() -> None:
    for replacement in _REPLACEMENTS.values():
        module = importlib.import_module(replacement.module)
        for function, known in replacement.functions.items():
            assert digest(module, function) == known
            source = inspect.getsource(attrgetter(function)(module))
            assert known == hashlib.sha256(source.encode()).hexdigest()[:20], "ours reads a source otherwise"
    assert type(_parser._lark_cache) is dict
