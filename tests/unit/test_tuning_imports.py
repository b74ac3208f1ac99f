"""The replacements that spare a run imports: only what it uses is loaded, and what is loaded is the real thing."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from cromulent_wdl.plugin.tuning.chosen_backend import BACKEND
from tests.fakes.second_copy import second_copy

HELLO = "version 1.1\ntask hello {\n  command <<< echo hello >>>\n  output { String said = read_string(stdout()) }\n}\n"
INSTALL = "from cromulent_wdl.plugin import tuning\nassert tuning.install()['builds'] == 'on'\nimport sys\n"


def python(code: str, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    homes = {"XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache")}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CROMULENT_", "MINIWDL_"))}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=place, env=inherited | homes, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


LOOK = """
def look():
    loaded = {name: module for name, module in sys.modules.items() if name.startswith("cromulent_wdl.")}
    values = {value for module in loaded.values() for value in vars(module).values() if isinstance(value, type)}
    slow = {"docker", "psutil", "requests", "yaml"} & set(sys.modules)
    ours = {value.__qualname__ for value in values if value.__module__ in loaded and is_dataclass(value)}
    print(sorted(slow | ours), file=sys.stderr)
"""


@pytest.mark.parametrize("sandbox", ["never", pytest.param("always", marks=pytest.mark.bubblewrap)])
def test_a_run_of_processes_makes_and_imports_nothing_slow(tmp_path: Path, sandbox: str) -> None:
    (tmp_path / "hello.wdl").write_text(HELLO)
    code = f"import atexit, sys\nfrom dataclasses import is_dataclass\n{LOOK}\natexit.register(look)\n"
    code += f"import os; os.environ['CROMULENT_SANDBOX'] = '{sandbox}'\n"
    code += "from cromulent_wdl.cli.main import main\nmain()\n"
    done = python(code, tmp_path, "run", "hello.wdl", "--backend", "process", "--no-cache")
    assert json.loads(done.stdout)["outputs"] == {"hello.said": "hello"}
    assert done.stderr.endswith("\n[]\n")


def test_no_exception_is_a_failed_build_before_docker_is_there_and_docker_s_own_are_afterwards(tmp_path: Path) -> None:
    code = INSTALL + (
        "from docker.errors import BuildError as Before\n"
        "assert 'docker' not in sys.modules\n"
        "assert not isinstance(ValueError(), (KeyError, Before))\n"
        "import docker, docker.models.images\n"
        "from docker.errors import BuildError as After\n"
        "assert After is docker.errors.BuildError is docker.models.images.BuildError is not Before\n"
        "assert isinstance(After('', ()), Before) and not isinstance(ValueError(), Before)\n"
    )
    python(code, tmp_path)


@pytest.mark.parametrize(
    "use",
    [
        "from docker.errors import APIError as Got",
        "import docker.errors; Got = docker.errors.APIError",
        "import docker; Got = docker.errors.APIError",
        "from docker.utils import kwargs_from_env; from docker.errors import APIError as Got",
    ],
)
def test_whoever_uses_docker_gets_it_whole(tmp_path: Path, use: str) -> None:
    code = INSTALL + (
        f"{use}\n"
        "import docker, docker.api.client, requests\n"
        "assert issubclass(Got, requests.HTTPError) and docker.api.client.DockerException in Got.__mro__\n"
        "assert docker.errors is sys.modules['docker.errors'] and docker.errors.__file__\n"
    )
    python(code, tmp_path)


def test_many_threads_get_the_same(tmp_path: Path) -> None:
    code = INSTALL + (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def use(number):\n"
        "    from docker.errors import APIError\n"
        "    return APIError\n"
        "with ThreadPoolExecutor(16) as pool: got = set(pool.map(use, range(64)))\n"
        "import docker\n"
        "assert got == {docker.errors.APIError}\n"
    )
    python(code, tmp_path)


def test_our_word_for_a_failed_build_is_docker_s(tmp_path: Path) -> None:
    code = INSTALL + (
        "from docker.errors import BuildError as Before\n"
        "from cromulent_wdl.model import Ending, Outcome\n"
        "from cromulent_wdl.plugin.endings import exception_of\n"
        "assert isinstance(exception_of(Outcome(Ending.BUILD, message='no'), '', ''), Before)\n"
        "assert isinstance(exception_of(Outcome(Ending.LOST, message='no'), '', '', final=True), Before)\n"
        "assert not isinstance(exception_of(Outcome(Ending.LOST, message='no'), '', ''), Before)\n"
    )
    python(code, tmp_path)


class Plugin:
    """An installed container backend, which remembers whether it was loaded."""

    def __init__(self, name: str, base: type) -> None:
        self.name = name
        self.loaded = 0
        self._base = base

    def load(self) -> type:
        self.loaded += 1
        began: list[str] = []
        members = {"began": began, "global_init": lambda *_: began.append(self.name), "__init__": lambda *_: None}
        return type(self.name, (self._base,), {**members, "_run": None, "detect_resource_limits": None})


@pytest.fixture
def containers() -> ModuleType:
    module = second_copy("WDL.runtime.task_container")
    BACKEND.replace(module)
    return module


def test_only_the_chosen_backend_is_loaded(containers: ModuleType) -> None:
    chosen, other = Plugin("chosen", containers.TaskContainer), Plugin("other", containers.TaskContainer)
    containers.__dict__["config"] = SimpleNamespace(load_all_plugins=lambda *_: [(True, other), (True, chosen)])
    cfg: Any = {"scheduler": {"container_backend": "chosen"}}
    first = containers.new(cfg, logging.getLogger(), "run", "/d")
    second = containers.new(cfg, logging.getLogger(), "run", "/d")
    assert (chosen.loaded, other.loaded) == (1, 0)
    assert type(first) is type(second) and type(first).__name__ == "chosen" and first.began == ["chosen"]


def test_a_backend_that_is_switched_off_is_none(containers: ModuleType) -> None:
    plugin = Plugin("chosen", containers.TaskContainer)
    containers.__dict__["config"] = SimpleNamespace(load_all_plugins=lambda *_: [(False, plugin)])
    with pytest.raises(KeyError):
        containers.new({"scheduler": {"container_backend": "chosen"}}, logging.getLogger(), "run", "/d")
    assert plugin.loaded == 0
