"""`cromulent run --on aws` and what follows it, on the simulator with IAM enforced."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cromulent_wdl
from cromulent_wdl.model import TaskPlaced
from cromulent_wdl.runs.journal import JournalReader
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.fakes.registries import serving
from tests.programs import ended, on_a_terminal

from .cloud import Cloud
from .cloud_runs import Machine, user
from .conftest import started

GREETING = """version 1.2
struct Guest { String name  File letter }
task greet {
  input { Guest guest  Directory more }
  command <<<
    echo "reading ~{guest.name}" >&2
    cat ~{guest.letter} ~{more}/*/deep.txt > letter.txt
  >>>
  output { File letter = "letter.txt"  String name = guest.name }
}
workflow greeting {
  input { Array[Guest] guests  Directory more }
  scatter (guest in guests) { call greet { input: guest, more } }
  output { Array[File] letters = greet.letter  Array[String] names = greet.name }
}
"""
READING = """version 1.2
task read {
  input { File given  Directory all  File other = "MADE" }
  command <<< cat ~{given} ~{other} ~{all}/1/letter.txt >>>
  output { String said = read_string(stdout()) }
}
"""
FAILING = """version 1.1
task fail {
  command <<< echo "no such luck" >&2; exit 7 >>>
  output { String never = read_string(stdout()) }
}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    yield from started(tmp_path_factory, Settings(enforce_iam=True, data_plane="process"))


@pytest.fixture(scope="module")
def laptop(cloud: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine.new(cloud, tmp_path_factory.mktemp("laptop"))
    made = machine("up", "--yes")
    assert made.status == 0, made.err
    return machine


@pytest.fixture
def other(cloud: Simulation, tmp_path: Path) -> Machine:
    return Machine.new(cloud, tmp_path / "other")


@pytest.fixture
def party(laptop: Machine) -> tuple[str, ...]:
    """A workflow with files in structs, arrays and directories, and the arguments to run it."""
    laptop.write("greeting.wdl", GREETING)
    (laptop.directory / "more" / "below").mkdir(parents=True, exist_ok=True)
    laptop.write("more/below/deep.txt", "from below\n")
    guests = []
    for name in ("ada", "grace"):
        laptop.write(f"{name}.txt", f"dear {name}\n")
        guests.append(f'{{"name": "{name}", "letter": "{laptop.directory}/{name}.txt"}}')
    laptop.write("inputs.json", f'{{"guests": [{", ".join(guests)}], "more": "{laptop.directory}/more"}}')
    return ("greeting.wdl", "-i", "inputs.json")


def test_a_run_in_the_cloud_gives_what_one_here_gives(laptop: Machine, party: tuple[str, ...]) -> None:
    here = laptop("run", *party, "--backend", "process", "--no-cache")
    assert here.status == 0, here.err
    there = laptop("run", *party, "--on", "aws", "--download", "home")
    assert there.status == 0, there.err
    outputs, wanted = there.result["outputs"], here.result["outputs"]
    assert outputs["greeting.names"] == wanted["greeting.names"] == ["ada", "grace"]
    texts = [Path(path).read_text() for path in outputs["greeting.letters"]]
    assert texts == [Path(path).read_text() for path in wanted["greeting.letters"]]
    assert texts == ["dear ada\nfrom below\n", "dear grace\nfrom below\n"]
    assert Path(there.result["dir"]) == laptop.directory / "home"
    assert "✔ greet[0" in there.err


def test_what_is_left_is_found_from_another_machine(laptop: Machine, other: Machine, party: tuple[str, ...]) -> None:
    assert laptop("run", *party, "--on", "aws", "--detach").status == 0
    left = laptop("run", *party, "--on", "aws", "--detach", "--no-cache")
    assert left.status == 0, left.err
    assert "every input is there already" in left.err
    (run,) = left.out.splitlines()

    followed = other("attach", run)
    assert followed.status == 0, followed.err
    assert followed.result["dir"].endswith(f"/runs/{run}")
    letters = followed.result["outputs"]["greeting.letters"]
    assert [address.rpartition("/outputs/")[2] for address in letters] == [
        "letters/0/letter.txt",
        "letters/1/letter.txt",
    ]
    assert other("wait", run).status == 0
    assert other("logs", run, "greet[1").out == "reading grace\n"
    assert "wdl.w:greeting NOTICE done" in other("logs", run).out
    assert other("outputs", run).result == followed.result
    assert other("status", run, "--json").result["state"] == "ok"
    assert other("report", run, "-o", "page.html").status == 0
    page = (other.directory / "page.html").read_text()
    assert 'id="graph"' in page and "/outputs/letters/0/letter.txt" in page and "miniwdl_run_zip" not in page
    assert [line for line in other("ls").out.splitlines() if run in line and "s3://" in line]
    another = run[:-1] + ("y" if run.endswith("z") else "z")
    assert "there is no run" in other("status", another).err


def test_a_workflow_that_fails_says_so_itself_and_is_not_tried_again(laptop: Machine) -> None:
    laptop.write("fail.wdl", FAILING)
    failed = laptop("run", "fail.wdl", "--on", "aws")
    assert (failed.status, failed.out) == (7, "")
    assert "no such luck" in failed.err
    assert "\nfail failed: task command failed with exit status 7\n" in failed.err
    assert laptop("status", "last", "--json").result["state"] == "failed"
    assert laptop("wait", "last").status == 7


def test_the_start_tells_what_calls_cost_and_a_head_keeps_to_the_budget(laptop: Machine) -> None:
    laptop.write("fail.wdl", FAILING)
    ran = laptop("run", "fail.wdl", "--on", "aws", "--max-cost", "0.0005")  # a minute of the head is more
    assert ran.status == 2
    checked, cache, costs, limit = ran.err.splitlines()[1:5]
    assert checked.startswith("  checked   1 call, 1 image (ubuntu:")
    assert cache.startswith("  cache     no help for ubuntu:")
    assert costs.startswith("  will cost fail $0.0") and costs.endswith(" an hour (Spot 1 vCPU 2 GiB)")
    assert limit == "  stops     launching at $0.000500"
    assert "stopped launching: $0.0" in ran.err and "no such luck" not in ran.err


def test_a_run_is_stopped_by_its_head(laptop: Machine) -> None:
    laptop.write("long.wdl", "version 1.1\ntask long { command <<< sleep 600 >>> }\n")
    run = _left_by_ctrl_c(laptop, "run", "long.wdl", "--on", "aws", "--progress", "plain")
    stopped = laptop("stop", run)
    assert stopped.status == 0, stopped.err
    assert stopped.err.splitlines()[-1] == f"{run}: stopped"
    assert laptop("wait", run).status == 130
    assert laptop("status", run, "--json").result["state"] == "stopped"


def _left_by_ctrl_c(laptop: Machine, *arguments: str) -> str:
    """Start a run on a terminal, press Ctrl-C, and again when asked what that means; return the run's id."""
    command = [sys.executable, "-m", "cromulent_wdl", *arguments]
    environment = {**laptop.environment, "TERM": "dumb"}
    with on_a_terminal(command, cwd=laptop.directory, env=environment, stdout=subprocess.DEVNULL) as terminal:
        terminal.hear("started   Ctrl-C asks: leave it or stop it")
        terminal.hear("long  running")
        terminal.process.send_signal(signal.SIGINT)
        terminal.hear("Stop the run?")
        terminal.process.send_signal(signal.SIGINT)
        terminal.hear("The run goes on: cromulent attach ")
        assert terminal.process.wait(60) == 130
    return terminal.said.split()[1]


USERS = ("ada", "grace")
COUNT = "version 1.1\ntask count { input { Int count = 1  File? f }\n command <<< >>> }\n"


@pytest.mark.parametrize(
    ("arguments", "sentence", "hint"),
    [
        (("--name", "elsewhere"), "there is no deployment 'elsewhere'", "cromulent up --name elsewhere makes it"),
        (("--region", "eu-west-3"), "there is no deployment", "where there is one elsewhere: --region"),
        (("--region", "eu-west-9"), "There is no AWS region 'eu-west-9'", "did you mean eu-west-1, eu-west-"),
        (("--max-cost", "abc"), "--max-cost: 'abc' is no amount of dollars", "write it like --max-cost 0.50"),
        (("f=none.txt",), "there is no input file none.txt", "it is looked for in "),
        (("count=many",), "'count' is Int, and 'many' is not", "`cromulent template count.wdl` shows"),
        (("f=s3://not-ours/a.txt",), "may not read s3://not-ours/a.txt", "cromulent up --read-bucket not-ours"),
        (
            ("f=https://127.0.0.1:9/a.txt",),
            "https://127.0.0.1:9/a.txt cannot be reached: Connection refused",
            "an address that everybody can open",
        ),
        (("--profile", "nobody"), "The config profile (nobody) could not be found", "aws configure list-profiles"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_started(
    laptop: Machine, arguments: tuple[str, ...], sentence: str, hint: str
) -> None:
    laptop.write("count.wdl", COUNT)
    _is_refused(laptop, "count.wdl", *arguments, sentence=sentence, hint=hint)


@pytest.mark.parametrize(
    ("changed", "sentence", "hint"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "No AWS credentials were found", "log in"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "No AWS region is set", "give --region"),
        ({"AWS_ACCESS_KEY_ID": "AKIAEXPIRED"}, "AWS does not accept the credentials", "log in again"),
    ],
)
def test_whoever_is_not_let_in_has_started_nothing(
    laptop: Machine, changed: dict[str, str], sentence: str, hint: str
) -> None:
    laptop.write("count.wdl", COUNT)
    nobody = Machine(laptop.directory, {**laptop.environment, **changed})
    _is_refused(nobody, "count.wdl", sentence=sentence, hint=hint)


def test_an_image_that_is_not_there_is_said_before_anything_is_started(laptop: Machine) -> None:
    with serving() as registry:
        image = f'command <<< >>> runtime {{ docker: "{registry.host}/none:1" }}'
        laptop.write("image.wdl", COUNT.replace("command <<< >>>", image))
        sentence = f"count: {registry.host} has no image none:1"
        _is_refused(laptop, "image.wdl", sentence=sentence, hint="`cromulent plan image.wdl` shows every call")


def _is_refused(machine: Machine, *arguments: str, sentence: str, hint: str) -> None:
    before = machine("ls", "--all", "--json").out
    refused = machine("run", *arguments, "--on", "aws")
    assert (refused.status, refused.out) == (2, ""), refused.err
    said, hinted = refused.err.split("hint: ")
    assert sentence in said and hint in hinted, refused.err
    assert "started" not in refused.err
    assert machine("ls", "--all", "--json").out == before


def test_two_users_start_the_same_at_the_same_second(cloud: Simulation, laptop: Machine, tmp_path: Path) -> None:
    source = laptop.write("twice.wdl", "version 1.1\ntask twice { input { File f }\n command <<< cat ~{f} >>>\n"
                 " output { String s = read_string(stdout()) } }\n")  # fmt: skip
    text = laptop.write("twice.txt", f"the same, in {tmp_path}\n")
    both = {name: Machine.new(cloud, tmp_path / name, user(cloud, laptop, name, "--run")) for name in USERS}
    arguments = ("run", str(source), f"f={text}", "--on", "aws")
    following = [machine.start(*arguments) for machine in both.values()]
    heard = [(ended(each), each.returncode) for each in following]
    assert [status for _, status in heard] == [0, 0], heard
    said = [json.loads(out) for (out, _), _ in heard]
    assert [each["outputs"]["twice.s"] for each in said] == [text.read_text().strip()] * 2
    runs = {name: each["dir"].rpartition("/")[2] for name, each in zip(USERS, said, strict=True)}
    assert len(set(runs.values())) == 2
    keys = cloud.environment
    with Cloud.at(cloud.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as root:
        s3, bucket = root.client("s3"), said[0]["dir"].split("/")[2]
        there = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="inputs/")["Contents"]]
        assert len([key for key in there if key.endswith("/twice.txt")]) == 1
        asked = {name: json.loads(_content(s3, bucket, f"runs/{run}/request.json")) for name, run in runs.items()}
    assert {name: each["caller"].rpartition("/")[2] for name, each in asked.items()} == {name: name for name in USERS}
    assert len({each["bundle"] for each in asked.values()}) == 1
    for name, machine in both.items():
        assert [each["run"] for each in machine("ls", "--json").result] == [runs[name]]
        assert machine("status", runs[name], "--json").result["state"] == "ok"
        assert set(runs.values()) <= {each["run"] for each in machine("ls", "--on", "aws", "--json").result}


def _content(s3: Any, bucket: str, key: str) -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def test_a_run_with_imports_from_elsewhere_again(laptop: Machine) -> None:
    (laptop.directory / "library").mkdir(exist_ok=True)
    laptop.write("library/said.wdl", FAILING.replace("exit 7", "exit 0").replace("read_string(stdout())", '"ever"'))
    laptop.write("main.wdl", 'version 1.1\nimport "said.wdl"\nworkflow main { call said.fail }\n')
    first = laptop("run", "main.wdl", "-p", "library", "--on", "aws", "--detach")
    assert first.status == 0, first.err
    (run,) = first.out.split()
    assert laptop("wait", run).status == 0
    again = laptop("rerun", run)
    assert again.status == 0, again.err


def test_the_same_again_from_another_machine(laptop: Machine, other: Machine) -> None:
    laptop.write("fail.wdl", FAILING)
    (run,) = laptop("run", "fail.wdl", "--on", "aws", "--detach").out.split()
    assert other("wait", run).status == 7
    (again,) = other("rerun", run, "--detach").out.split()
    assert again != run
    assert other("wait", again).status == 7


def test_a_run_with_files_again_with_what_is_to_be_different(
    laptop: Machine, other: Machine, party: tuple[str, ...]
) -> None:
    on_demand = Machine(laptop.directory, {**laptop.environment, "CROMULENT_SPOT": "false"})
    (run,) = on_demand("run", *party, "--on", "aws", "--detach", "--max-cost", "7").out.split()
    assert laptop("wait", run).status == 0
    again = laptop("rerun", run)
    assert again.status == 0, again.err
    assert again.result["outputs"]["greeting.names"] == ["ada", "grace"]
    (other.directory / "more" / "below").mkdir(parents=True)
    other.write("more/below/deep.txt", "from elsewhere\n")
    changed = other("rerun", run, "more=more", "--runtime", "greet.memory=3 GB", "--download", "home")
    assert changed.status == 0, changed.err
    assert " an hour (on demand 1 vCPU 3 GiB)" in changed.err and "stops     launching at $7" in changed.err
    letters = [Path(path).read_text() for path in changed.result["outputs"]["greeting.letters"]]
    assert letters == ["dear ada\nfrom elsewhere\n", "dear grace\nfrom elsewhere\n"]
    (journal,) = (other.directory / "state" / "cromulent" / "cloud").glob(f"*{_id_of(changed.err)}/journal.jsonl")
    placed = [event for event in JournalReader(journal).new() if isinstance(event, TaskPlaced)]
    assert {event.memory for event in placed} == {3_000_000_000}
    assert len({event.call for event in placed}) == 2


def test_what_is_told_of_a_run_has_the_names_that_people_know(
    laptop: Machine, other: Machine, party: tuple[str, ...]
) -> None:
    first = laptop("run", *party, "--on", "aws")
    run = first.result["dir"].rpartition("/")[2]
    report = laptop.directory / "report.html"
    for machine, letter in ((laptop, f"{laptop.directory}/ada.txt"), (other, "/ada.txt")):
        assert machine("status", run).status == 0
        assert machine("report", run, "-o", str(report)).status == 0
        page = report.read_text()
        assert "/mnt/cromulent" not in page
        assert letter in page and first.result["outputs"]["greeting.letters"][0] in page
        assert "/mnt/cromulent" not in machine("status", run, "--json").out


def _id_of(said: str) -> str:
    """Return the id in the first line that a start says."""
    return said.split()[1]


def test_rows_3_and_41_what_old_runs_left_is_removed(
    cloud: Simulation, laptop: Machine, party: tuple[str, ...]
) -> None:
    assert laptop("run", *party, "--on", "aws").status == 0
    laptop.write("fail.wdl", FAILING)
    ids = []
    for _ in range(2):
        ids += laptop("run", "fail.wdl", "--on", "aws", "--detach").out.split()
        laptop("wait", ids[-1])
    dry = laptop("gc", "--older-than", "0s", "--keep-last", "1", "--dry-run")
    assert dry.status == 0 and f" … {ids[0]}: " in dry.err, dry.err
    assert " on the shared disk: " in dry.err and " on the shared disk that nothing has used since: " in dry.err
    (disk,) = cloud.files.glob("*/cromulent")
    removed = laptop("gc", "--older-than", "0s", "--keep-last", "1", "--yes")
    assert removed.err.endswith("Removed.\n"), removed.err
    assert [each.name for each in (disk / "runs").iterdir() if each.name[0] != "."] == [ids[1]]
    assert [each.name for each in (disk / "inputs").iterdir() if each.name[0] != "."] == []
    left = {each["run"] for each in laptop("ls", "--on", "aws", "--json").result}
    assert left == {ids[1]}
    assert "There is nothing to remove." in laptop("gc").err
    assert laptop("run", "fail.wdl", "--on", "aws").status == 7
    again = laptop("run", *party, "--on", "aws")
    assert again.status == 0 and "every input is there already" in again.err, again.err


def test_who_may_not_start_runs_is_told_that_the_disk_was_left(
    cloud: Simulation, laptop: Machine, tmp_path: Path
) -> None:
    laptop.write("hello.wdl", COUNT)
    assert laptop("run", "hello.wdl", "--on", "aws").status == 0
    keeper = Machine.new(cloud, tmp_path / "keeper", user(cloud, laptop, "keeper"))
    said = keeper("gc", "--older-than", "0s", "--keep-last", "0", "--dry-run")
    assert said.status == 0 and "The shared disk is left as it is: AWS denies it" in said.err, said.err
    assert " in the bucket" in said.err


@pytest.mark.parametrize("where", [("--on", "aws"), ("--backend", "process")])
def test_what_lies_in_the_bucket_is_an_input_here_and_there(
    laptop: Machine, party: tuple[str, ...], where: tuple[str, ...]
) -> None:
    made = laptop("run", *party, "--on", "aws").result["outputs"]["greeting.letters"][0]
    laptop.write("read.wdl", READING.replace("MADE", made))
    everything = made.rpartition("/0/")[0]
    ran = laptop("run", "read.wdl", f"given={made}", f"all={everything}", *where)
    assert ran.status == 0, ran.err
    assert ran.result["outputs"]["read.said"].split("\n")[::2] == ["dear ada", "dear ada", "dear grace"]


def test_a_run_from_python(laptop: Machine, party: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in laptop.environment.items():
        monkeypatch.setenv(name, value)
    inputs = json.loads((laptop.directory / "inputs.json").read_text())
    run = cromulent_wdl.run(laptop.directory / "greeting.wdl", inputs, on="aws")
    assert run.wait(120).state == "ok"
    assert run.outputs["greeting.names"] == ["ada", "grace"]
    home = run.download(laptop.directory / "python")
    assert Path(home["greeting.letters"][1]).read_text() == "dear grace\nfrom below\n"
    assert cromulent_wdl.attach(run.id).outputs == run.outputs
