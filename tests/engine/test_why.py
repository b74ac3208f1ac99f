"""What `cromulent why` says of runs that really failed here: who sees this alone knows the cause and the next step."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import docker
import pytest

from cromulent_wdl.engine import connect
from cromulent_wdl.errors import EngineUnavailable
from tests.engine.conftest import load
from tests.engine.images import busybox
from tests.fakes.waiting import eventually
from tests.golden import check

_WORKFLOW = """version 1.1
task fine {{ command <<< : >>> }}
task bad {{
  input {{ Int number = 0  File? reads }}
  command <<<
{command}
  >>>
  output {{ {output} }}
  runtime {{ {runtime} }}
}}
workflow work {{
  call fine
  {call}
}}
"""


class Bench:
    """A directory with a workflow in it that fails, and commands on it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("CROMULENT_", "MINIWDL_"))}
        state = {f"XDG_{kind}_HOME": str(place / "home" / kind) for kind in ("STATE", "CACHE")}
        self.environment: Mapping[str, str] = {**inherited, **state}

    def write(
        self, command: str, runtime: str = "", output: str = "", call: str = "call bad after fine { input: number = 1 }"
    ) -> Path:
        source = self.place / "work.wdl"
        source.write_text(_WORKFLOW.format(command=command, runtime=runtime, output=output, call=call))
        return source

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "cromulent_wdl", *map(str, arguments)]
        return subprocess.run(words, cwd=self.place, env=self.environment, capture_output=True, text=True, timeout=120)

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        words = [
            sys.executable,
            "-m",
            "cromulent_wdl",
            "run",
            *map(str, arguments),
            "--no-cache",
            "--dir",
            str(self.place / "runs"),
        ]
        pipes = subprocess.DEVNULL
        return subprocess.Popen(words, cwd=self.place, env=self.environment, stdout=pipes, stderr=pipes)

    def fail(self, source: Path, backend: str, *arguments: object) -> None:
        ran = self.command("run", source, "--backend", backend, "--no-cache", "--dir", self.place / "runs", *arguments)
        assert ran.returncode not in (0, 70), ran.stderr

    def journals(self) -> list[Path]:
        return list((self.place / "runs").glob("2*/journal.jsonl"))

    def is_at_work(self) -> bool:
        """Whether the task that fails has been started, and the head has written that down."""
        return any('"task_started","call":"bad"' in journal.read_text() for journal in self.journals())

    def why(self, *arguments: object) -> str:
        said = self.command("why", *(arguments or ("last",)))
        assert said.returncode == 0 and said.stderr == "", said.stderr
        copied = ("cromulent ", "/", "mend ")
        assert all(len(line) <= 80 or any(word in line for word in copied) for line in said.stdout.splitlines())
        return said.stdout

    def compare(self, name: str) -> None:
        check(f"why/{name}.txt", self.why(), self.place)


@pytest.fixture
def here(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_command_that_fails_in_a_scatter(here: Bench) -> None:
    for number, size in enumerate((1000, 1200, 41000)):
        (here.place / f"{number}.fq").write_bytes(b"x" * size)
    command = "  set -e\n  echo reading >&2\n  [ ~{number} != 2 ] || no_such_aligner mem ~{reads}\n"
    call = "scatter (n in range(3)) { call bad after fine { input: number = n, reads = all[n] } }"
    source = here.write(command, "maxRetries: 1", call=call)
    source.write_text(source.read_text().replace("  call fine\n", "  input { Array[File] all }\n  call fine\n"))
    here.fail(source, "process", *(f"all={here.place}/{number}.fq" for number in range(3)))
    here.compare("failed")


def test_an_output_that_is_not_there(here: Bench) -> None:
    here.fail(here.write("echo done", output='File bam = "out.bam"'), "process")
    here.compare("output_missing")


def test_an_expression_of_the_workflow(here: Bench) -> None:
    here.fail(here.write("true", call="Array[Int] none = []\n  Int first = none[0]"), "process")
    here.compare("expression")


def test_what_the_backend_cannot_run(here: Bench) -> None:
    here.fail(here.write("true", 'inlineDockerfile: "FROM scratch"'), "process")
    here.compare("refused")


def test_a_run_that_is_stopped(here: Bench) -> None:
    process = here.start(here.write("sleep 60"), "--backend", "process")
    assert eventually(here.is_at_work)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    here.compare("stopped")


def test_a_head_that_is_killed(here: Bench) -> None:
    process = here.start(here.write("sleep 60"), "--backend", "process")
    assert eventually(here.is_at_work)
    process.kill()
    process.wait(60)
    here.compare("lost_head")


@pytest.fixture(scope="session")
def image_in_docker(busybox_layer: bytes) -> str:
    try:
        engine = connect("docker")
    except EngineUnavailable as error:
        pytest.skip(f"{error}: {error.hint}")
    with closing(engine):
        if engine.image(busybox.TAG) is None:
            load(engine, busybox.busybox_image())
    return busybox.TAG


_ENDINGS = {
    "oom": ("  a=x; while :; do a=$a$a; done", 'memory: "100 MB"'),
    "disk_full": ("  dd if=/dev/zero of=/dev/full bs=1k count=1 || exit 4", ""),
    "build": ("  true", f'inlineDockerfile: ["FROM {busybox.TAG}", "RUN exit 3"]'),
    "pull_transient": ("  true", 'container: "localhost/no/such:1"'),
}


@pytest.mark.docker
@pytest.mark.parametrize("ending", _ENDINGS)
def test_in_a_container(here: Bench, image_in_docker: str, ending: str) -> None:
    command, runtime = _ENDINGS[ending]
    runtime = (
        runtime if "container" in runtime or "Docker" in runtime else f'container: "{image_in_docker}"\n    {runtime}'
    )
    source = here.write(command, runtime)
    here.environment = {**here.environment, "MINIWDL__TASK_RUNTIME__MEMORY_LIMIT_MULTIPLIER": "1.0"}
    here.fail(source, "docker")
    here.compare(ending)


@pytest.mark.docker
def test_an_image_without_the_shell(here: Bench, image_in_docker: str) -> None:
    here.environment = {**here.environment, "MINIWDL__TASK_RUNTIME__COMMAND_SHELL": "/bin/zsh"}
    here.fail(here.write("  true", f'container: "{image_in_docker}"'), "docker")
    here.compare("no_shell")


@pytest.mark.docker
def test_a_container_that_somebody_kills(here: Bench, image_in_docker: str) -> None:
    process = here.start(here.write("  sleep 60", f'container: "{image_in_docker}"'), "--backend", "docker")
    assert eventually(here.is_at_work)
    (journal,) = here.journals()
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    container = next(event["where"] for event in events if event["event"] == "task_started" and event["call"] == "bad")
    with closing(connect("docker")) as engine, closing(docker.APIClient(engine.facts.address, "1.41")) as client:
        client.kill(container)
    assert process.wait(60) not in (0, 70)
    here.compare("lost")
