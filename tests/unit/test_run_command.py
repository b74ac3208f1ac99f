"""`cromulent run` from outside: a real process, real WDL, tasks on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.programs import ended, on_a_terminal

HELLO = """
version 1.1
task hello {
  input {
    String name
    Int times = 1
    File? greeting
  }
  command <<<
    [ ~{name} != nobody ] || { echo "nobody is here" >&2; exit 3; }
    for _ in $(seq ~{times}); do echo "$(cat ~{default="/dev/null" greeting})Hello, ~{name}!"; done
  >>>
  output {
    String message = read_string(stdout())
    File said = stdout()
  }
}
"""

GREET = """
version 1.1
import "hello.wdl" as library
workflow greet {
  input { Array[String]+ names }
  scatter (name in names) { call library.hello { input: name = name } }
  output { Array[String] messages = hello.message }
}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "hello.wdl").write_text(HELLO)
    (tmp_path / "greet.wdl").write_text(GREET)
    return tmp_path


def cromulent(
    place: Path, *arguments: str, backend: str = "process", **environment: str
) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CROMULENT_", "MINIWDL_"))}
    homes = {"XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache"), "HOME": str(place)}
    return subprocess.run(
        [sys.executable, "-m", "cromulent_wdl", *arguments],
        cwd=place,
        env=inherited | homes | {"CROMULENT_BACKEND": backend} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def runs_in(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.name[:2] == "20")


def test_a_task_runs_and_only_its_result_is_on_standard_output(place: Path) -> None:
    done = cromulent(place, "run", "hello.wdl", "name=World")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) == {"dir", "outputs"}
    assert result["outputs"]["hello.message"] == "Hello, World!"
    assert Path(result["outputs"]["hello.said"]).read_text() == "Hello, World!\n"
    run = Path(result["dir"])
    assert run == runs_in(place)[0]
    assert {"inputs.json", "outputs.json", "journal.jsonl", "task.log", "command", "rerun", "wdl"} <= set(
        os.listdir(run)
    )
    assert (place / "_LAST").resolve() == run


def test_a_workflow_runs_and_runs_again_from_the_cache(place: Path) -> None:
    first = cromulent(place, "run", "greet.wdl", "names=a", "names=b")
    assert json.loads(first.stdout)["outputs"]["greet.messages"] == ["Hello, a!", "Hello, b!"]
    again = cromulent(place, "run", "greet.wdl", "names=b", "names=c")
    assert json.loads(again.stdout)["outputs"]["greet.messages"] == ["Hello, b!", "Hello, c!"]
    hits = [line for line in again.stderr.splitlines() if "from the call cache" in line]
    assert len(hits) == 1
    assert "hello[0-b]" in hits[0]
    without = cromulent(place, "run", "greet.wdl", "names=b", "--no-cache")
    assert "from the call cache" not in without.stderr


def test_a_failed_command_gives_its_status_and_its_last_words(place: Path) -> None:
    done = cromulent(place, "run", "greet.wdl", "names=a", "names=nobody")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "greet failed at hello[1-nobody]: task command failed with exit status 3" in done.stderr
    assert "| nobody is here" in done.stderr
    assert "cromulent logs last 'hello[1-nobody]'" in done.stderr


def test_a_failure_is_json_when_asked_for(place: Path) -> None:
    done = cromulent(place, "run", "hello.wdl", "name=nobody", "--error-json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["cause"]["exit_status"] == 3
    done = cromulent(place, "run", "hello.wdl", "name=nobody", "-o", "result.json")
    assert done.stdout == ""
    assert json.loads((place / "result.json").read_text())["cause"]["exit_status"] == 3


@pytest.mark.parametrize("file", ["missing/x.json", ".", "hello.wdl/x.json"])
def test_a_result_that_could_not_be_written_is_noticed_before_anything_starts(place: Path, file: str) -> None:
    done = cromulent(place, "run", "hello.wdl", "name=World", "-o", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the result cannot be written to" in done.stderr and "name another file with -o" in done.stderr
    assert runs_in(place) == []


def test_what_cannot_be_started_is_json_when_asked_for(place: Path) -> None:
    done = cromulent(place, "run", "hello.wdl", "--error-json")
    assert done.returncode == 2
    assert json.loads(done.stdout) == {"error": "InputError", "message": "missing required inputs for hello: name"}
    (place / "wrong.wdl").write_text("version 1.0\nworkflow w { ?")
    done = cromulent(place, "run", "wrong.wdl", "-o", "result.json")
    assert done.stdout == ""
    answer = json.loads((place / "result.json").read_text())
    assert (answer["error"], answer["pos"]["line"]) == ("SyntaxError", 2)


def test_what_is_about_fargate_has_no_effect_here_and_says_so(place: Path) -> None:
    done = cromulent(place, "run", "hello.wdl", "name=x", "--max-cost", "1", "--task-timeout", "6h")
    assert done.returncode == 0
    assert "--max-cost has no effect here: it is about tasks on Fargate\n" in done.stderr
    assert "--task-timeout has no effect here" in done.stderr


BAD = {
    "a file that is not there": (["nowhere.wdl"], "there is no file nowhere.wdl"),
    "wrong WDL": (["wrong.wdl"], "(wrong.wdl Ln 4 Col 1)"),
    "a file of nearly that name": (["helo.wdl"], "did you mean hello.wdl?"),
    "a source in S3": (["s3://lab/hello.wdl"], "aws s3 cp s3://lab/hello.wdl ."),
    "a zip that is not there": (["none.zip"], "there is no file none.zip"),
    "a document of structs": (["structs.wdl"], "the document has neither a workflow nor a task"),
    "a directory that is no source": (["state"], "state is a directory"),
    "an input without a value": (["hello.wdl", "name"], "hint: name=VALUE gives it a value"),
    "a file of inputs without -i": (["hello.wdl", "inputs.json"], "hint: inputs in a file: -i inputs.json"),
    "an input twice": (["hello.wdl", "name=x", "name=y"], "input 'name' is given more than once"),
    "an unknown input": (["hello.wdl", "nmae=x"], "hello has no input 'nmae'. Did you mean 'name'?"),
    "an unknown input in JSON": (["hello.wdl", "-i", '{"nmae": "x"}'], "Did you mean 'name'?"),
    "a missing input": (["hello.wdl"], "  name  String  required"),
    "a mistyped input": (["hello.wdl", "name=x", "times=twice"], "input 'times' is Int, and 'twice' is not"),
    "a mistyped input in JSON": (["hello.wdl", "-i", '{"name": "x", "times": "twice"}'], "times"),
    "an input file that is not there": (
        ["hello.wdl", "name=x", "greeting=none.txt"],
        "there is no input file none.txt",
    ),
    "an inputs file that is not there": (["hello.wdl", "-i", "none.json"], "hint: it is looked for in /"),
    "an inputs file that is no JSON": (["hello.wdl", "-i", "{oops"], "the inputs cannot be read"),
    "a name that JSON does not have": (["hello.wdl", "-i", "odd.yaml"], "that JSON does not have"),
    "a directory for a file": (["hello.wdl", "name=x", "greeting=state"], "an input should be a file, and state is"),
    "a task that is not there": (["hello.wdl", "--task", "bye", "name=x"], "no such task bye"),
    "an unwritable place": (
        ["hello.wdl", "name=x", "-d", "/proc/none"],
        "the run directory cannot be made in /proc/none",
    ),
    "an unknown backend": (["hello.wdl", "name=x", "--backend", "abacus"], "setting 'backend' cannot be 'abacus'"),
    "an unknown option": (["hello.wdl", "name=x", "--bakend", "docker"], "No such option"),
    "an unknown setting": (["hello.wdl", "name=x"], "there is no setting 'bakend'"),
    "a configuration that is not there": (
        ["hello.wdl", "name=x", "--cfg", "none.cfg"],
        "no configuration file none.cfg",
    ),
    "a configuration that is none": (
        ["hello.wdl", "name=x", "--cfg", "hello.wdl"],
        "hello.wdl cannot be read: File contains",
    ),
    "an option of miniwdl's that is of another kind": (["hello.wdl", "name=x"], "[call_cache] get should be bool"),
    "wrong runtime defaults": (["hello.wdl", "name=x", "--runtime-defaults", "{"], "--runtime-defaults cannot be read"),
    "a wrong memory size": (["hello.wdl", "name=x", "--runtime-memory-max", "lots"], "--runtime-memory-max cannot be"),
    "an engine that is not there": (
        ["hello.wdl", "name=x", "--backend", "docker"],
        "there is no Docker at unix:///nowhere",
    ),
    "an AWS profile that is not there": (
        ["hello.wdl", "name=x", "--on", "aws", "--profile", "nobody"],
        "config profile (nobody) could not be found",
    ),
}
BAD_ENVIRONMENT = {
    "an option of miniwdl's that is of another kind": {"MINIWDL__CALL_CACHE__GET": "perhaps"},
    "an unknown setting": {"CROMULENT_BAKEND": "docker"},
    "an engine that is not there": {"DOCKER_HOST": "unix:///nowhere"},
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_said_in_a_sentence_and_nothing_is_started(place: Path, what: str) -> None:
    arguments, said = BAD[what]
    (place / "wrong.wdl").write_text("version 1.1\ntask t {\noops\n}\n")
    (place / "structs.wdl").write_text("version 1.1\nstruct S { Int a }\n")
    (place / "odd.yaml").write_text("name: x\n1: y\n")
    (place / "state").mkdir()
    done = cromulent(place, "run", *arguments, **BAD_ENVIRONMENT.get(what, {}))
    assert said in done.stderr
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert runs_in(place) == []
    assert not (place / "_LAST").is_symlink()


def test_inputs_are_printed_and_nothing_is_run_with_json(place: Path) -> None:
    done = cromulent(place, "run", "hello.wdl", "name=World", "--json")
    assert json.loads(done.stdout) == {"name": "World"}
    assert runs_in(place) == []


def test_inputs_come_from_yaml_and_the_command_line_wins(place: Path) -> None:
    (place / "inputs.yaml").write_text("name: World\ntimes: 3\n")
    done = cromulent(place, "run", "hello.wdl", "-i", "inputs.yaml", "times=1")
    assert json.loads(done.stdout)["outputs"]["hello.message"] == "Hello, World!"


def test_an_environment_variable_reaches_the_task_and_stays_out_of_records(place: Path) -> None:
    (place / "env.wdl").write_text(HELLO.replace("Hello, ~{name}", "$TOKEN"))
    done = cromulent(place, "run", "env.wdl", "name=x", "--env", "TOKEN=mellon", "-d", "secret/.")
    assert json.loads(done.stdout)["outputs"]["hello.message"] == "mellon!"
    for name in ("journal.jsonl", "rerun", "task.log"):
        assert "mellon" not in (place / "secret" / name).read_text()


def test_the_run_directory_can_be_given_exactly(place: Path) -> None:
    done = cromulent(place, "run", "hello.wdl", "name=World", "-d", "here/.")
    assert json.loads(done.stdout)["dir"] == str(place / "here")
    again = cromulent(place, "run", "hello.wdl", "name=World", "-d", "here/.")
    assert "from the call cache" in again.stderr
    (place / "other.wdl").write_text((place / "hello.wdl").read_text().replace("task hello", "task other"))
    other = cromulent(place, "run", "other.wdl", "name=World", "-d", "here/.")
    assert (other.returncode, other.stdout) == (2, "")
    assert "here is the directory of another run" in other.stderr and "--dir" in other.stderr


def test_a_zip_made_by_miniwdl_runs_with_its_inputs(place: Path) -> None:
    (place / "names.json").write_text('{"names": ["zip"]}')
    zipping = [sys.executable, "-m", "WDL", "zip", "greet.wdl", "-i", "names.json", "-o", "greet.zip"]
    subprocess.run(zipping, cwd=place, check=True, capture_output=True)
    done = cromulent(place, "run", "greet.zip")
    assert json.loads(done.stdout)["outputs"]["greet.messages"] == ["Hello, zip!"]


def test_a_source_at_an_address_runs_with_its_imports(place: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(place))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        done = cromulent(place, "run", f"{address}/greet.wdl", "names=net")
        missing = cromulent(place, "run", f"{address}/none.wdl")
        server.shutdown()
    assert json.loads(done.stdout)["outputs"]["greet.messages"] == ["Hello, net!"], done.stderr
    assert missing.returncode == 2
    assert "404" in missing.stderr


def test_a_task_that_names_an_image_does_not_run_quietly_without_a_container(place: Path) -> None:
    (place / "image.wdl").write_text(HELLO.replace("  output", '  runtime { docker: "ubuntu:22.04" }\n  output'))
    nowhere = {"DOCKER_HOST": f"unix://{place}/none", "CONTAINER_HOST": f"unix://{place}/none"}
    done = cromulent(place, "run", "image.wdl", "name=World", backend="auto", **nowhere)
    assert done.returncode == 2
    assert "no container engine answers here" in done.stderr
    assert "--backend process" in done.stderr
    assert runs_in(place) == []
    allowed = cromulent(
        place, "run", "image.wdl", "name=World", backend="auto", CROMULENT_PROCESS_FOR_IMAGES="true", **nowhere
    )
    assert json.loads(allowed.stdout)["outputs"]["hello.message"] == "Hello, World!"
    without_image = cromulent(place, "run", "hello.wdl", "name=World", backend="auto", **nowhere)
    assert json.loads(without_image.stdout)["outputs"]["hello.message"] == "Hello, World!"


def test_the_journal_as_progress_ends_with_the_run(place: Path) -> None:
    done = cromulent(place, "run", "hello.wdl", "name=World", "--progress", "json")
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert events == [
        "run_started",
        "call_started",
        "task_placed",
        "task_started",
        "task_ended",
        "call_ended",
        "run_ended",
    ]
    journal = Path(json.loads(done.stdout)["dir"], "journal.jsonl").read_text().splitlines()
    assert journal == done.stderr.splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--detach",), "--detach is about runs in the cloud"),
        (("--download", "home"), "--download is about runs in the cloud"),
        (("--on", "aws", "--backend", "docker"), "tasks run on Fargate, and not by 'docker'"),
        (("--on", "aws", "--backend", "process"), "tasks run on Fargate, and not by 'process'"),
    ],
)
def test_what_is_not_where_the_run_is_to_go_is_refused(place: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = cromulent(place, "run", "hello.wdl", "name=World", *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr and "hint: " in refused.stderr
    assert not runs_in(place)


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 2)])
def test_on_a_terminal_a_person_may_allow_it(place: Path, answer: str, status: int) -> None:
    (place / "image.wdl").write_text(HELLO.replace("  output", '  runtime { docker: "ubuntu:22.04" }\n  output'))
    homes = {"XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache"), "TERM": "dumb"}
    nowhere = {"DOCKER_HOST": f"unix://{place}/none", "CONTAINER_HOST": f"unix://{place}/none"}
    command = [sys.executable, "-m", "cromulent_wdl", "run", "image.wdl", "name=World"]
    environment = os.environ | homes | nowhere | {"CROMULENT_BACKEND": "auto"}
    with on_a_terminal(command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True) as terminal:
        terminal.hear("No container engine answers here. Run hello without a container? [y/N]")
        terminal.type("perhaps\n")
        terminal.hear("Type y or n.")
        terminal.type(f"{answer}\n")
        out, _ = ended(terminal.process)
    assert terminal.process.returncode == status
    assert bool(out) == (status == 0)


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are Unicode there")
def test_file_names_need_not_be_unicode(place: Path) -> None:
    given = os.fsdecode(b"gr\xfc\xdfe.txt")
    (place / given).write_text("Aha. ")
    (place / "names.wdl").write_text(
        "version 1.1\ntask names {\n  input { File text }\n"
        "  command <<< cp '~{text}' $'cop\\351.txt' >>>\n  output { Array[File] copies = glob('*.txt') }\n}\n"
    )
    done = cromulent(place, "run", "names.wdl", f"text={given}")
    assert done.returncode == 0, done.stderr
    [copy] = json.loads(done.stdout)["outputs"]["names.copies"]
    assert Path(copy).name == os.fsdecode(b"cop\xe9.txt")
    assert Path(copy).read_text() == "Aha. "
    again = cromulent(place, "run", "names.wdl", f"text={given}")
    assert json.loads(again.stdout)["outputs"]["names.copies"] != [copy], "the call cache holds no such name"
