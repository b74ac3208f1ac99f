"""The process backend without a sandbox, on real processes."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cromulent_wdl.backends.heads import MARK, Head
from cromulent_wdl.backends.process import ProcessBackend
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.backends.workplace import Workplace
from cromulent_wdl.config import Settings
from cromulent_wdl.model import Ending, Outcome
from tests.fakes.process_tasks import Events, process_task, retry_of


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Head]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with closing(Head.open("a_run", tmp_path)) as opened:
        yield opened


@pytest.fixture
def backend(head: Head) -> Iterator[ProcessBackend]:
    settings = Settings(sandbox="never", stop_grace=0.2)
    with closing(ProcessBackend(Workplace(settings, head), allow_images=False)) as made:
        yield made


@pytest.fixture
def run(backend: ProcessBackend, tmp_path: Path) -> Callable[..., Outcome]:
    def run_command(command: str, **fields: Any) -> Outcome:
        return backend.run(process_task(tmp_path / "call", command, **fields), Cancellation(), Events())

    return run_command


def test_a_command_runs_in_its_working_directory_with_its_streams_appended(
    run: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "call").mkdir()
    (tmp_path / "call/stdout.txt").write_text("before\n")
    outcome = run("pwd; echo oops >&2; touch made")
    assert (outcome.ending, outcome.exit_code, outcome.message) == (Ending.OK, 0, "")
    assert (tmp_path / "call/stdout.txt").read_text() == f"before\n{tmp_path}/call/work\n"
    assert (tmp_path / "call/stderr.txt").read_text() == "oops\n"
    assert (tmp_path / "call/work/made").exists()


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("exit 3", 3, "the command ended with status 3"),
        ("kill -9 $$", 137, "the command ended with status 137 (killed by SIGKILL)"),
        ("kill -TERM $$", 143, "the command ended with status 143 (killed by SIGTERM)"),
        ("exit 255", 255, "the command ended with status 255"),
    ],
)
def test_a_command_that_fails(run: Callable[..., Outcome], command: str, status: int, message: str) -> None:
    outcome = run(command)
    assert (outcome.ending, outcome.exit_code, outcome.message) == (Ending.FAILED, status, message)


@pytest.mark.parametrize("shell", ["/bin/no_such_shell", "no_such_shell -e", "", "/etc/passwd"])
def test_a_missing_shell(run: Callable[..., Outcome], shell: str) -> None:
    assert run("true", shell=shell).ending is Ending.NO_SHELL


def test_the_shell_may_have_options_and_be_found_on_the_path(run: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = run("import sys; print(sys.flags.isolated)", shell="python3 -I")
    assert outcome.ending is Ending.OK, (tmp_path / "call/stderr.txt").read_text()
    assert (tmp_path / "call/stdout.txt").read_text() == "1\n"


def test_a_full_disk_is_told_by_the_commands_last_words(run: Callable[..., Outcome]) -> None:
    outcome = run("echo 'cp: error writing x: No space left on device' >&2; exit 1")
    assert (outcome.ending, outcome.exit_code) == (Ending.DISK_FULL, 1)


def test_those_words_long_before_the_end_mean_nothing(run: Callable[..., Outcome]) -> None:
    assert run("echo 'No space left on device' >&2; seq 1000 >&2; exit 1").ending is Ending.FAILED


def test_a_directory_that_cannot_be_written_is_an_ending_too(backend: ProcessBackend, tmp_path: Path) -> None:
    task = process_task(tmp_path / "call", "true", stdout=tmp_path / "nowhere/stdout.txt")
    outcome = backend.run(task, Cancellation(), Events())
    assert outcome.ending is Ending.MOUNT and "nowhere" in outcome.message


def test_inputs_are_found_where_the_command_expects_them(backend: ProcessBackend, tmp_path: Path) -> None:
    odd = tmp_path / "a: 'b' \"c\" ü.txt"
    odd.write_text("odd\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside").write_text("inside\n")
    task = process_task(
        tmp_path / "call", "cat _miniwdl_inputs/0/* _miniwdl_inputs/1/folder/inside", inputs=[odd, folder]
    )
    assert backend.run(task, Cancellation(), Events()).ending is Ending.OK
    assert task.stdout.read_text() == "odd\ninside\n"
    assert os.listdir(task.work) == [], "links to inputs were left"


@pytest.mark.parametrize("command", ["cp -r", "cp -a", "mv"])
def test_copying_an_input_makes_a_copy_and_no_link(backend: ProcessBackend, tmp_path: Path, command: str) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("text")
    folder.mkdir()
    (folder / "inside").write_text("inside")
    script = f"mkdir sub; {command} $PWD/_miniwdl_inputs/0/file made; {command} _miniwdl_inputs/1/folder sub/made"
    task = process_task(tmp_path / "call", script, inputs=[file, folder])
    assert backend.run(task, Cancellation(), Events()).ending is Ending.OK
    copies = (task.work / "made", task.work / "sub/made", task.work / "sub/made/inside")
    assert not any(copy.is_symlink() for copy in copies)
    assert (copies[0].read_text(), copies[2].read_text()) == ("text", "inside")
    assert file.exists() and (folder / "inside").exists()


def test_a_link_to_an_input_is_not_taken_for_a_copy(backend: ProcessBackend, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    task = process_task(tmp_path / "call", "ln -s $PWD/_miniwdl_inputs/0/file link", inputs=[file])
    backend.run(task, Cancellation(), Events())
    assert (task.work / "link").is_symlink() and not (task.work / "link").exists()


def test_copied_inputs_stay_where_they_are(backend: ProcessBackend, tmp_path: Path) -> None:
    source = tmp_path / "input.txt"
    source.touch()
    task = process_task(tmp_path / "call", "true", inputs=[source], inputs_copied=True)
    copy = task.work / "_miniwdl_inputs/0/input.txt"
    copy.parent.mkdir(parents=True)
    copy.touch()
    assert backend.run(task, Cancellation(), Events()).ending is Ending.OK
    assert copy.exists()


def test_what_a_command_leaves_among_its_inputs_is_kept(backend: ProcessBackend, tmp_path: Path) -> None:
    reads = tmp_path / "reads.bam"
    reads.touch()
    task = process_task(tmp_path / "call", "touch _miniwdl_inputs/0/reads.bam.bai", inputs=[reads])
    backend.run(task, Cancellation(), Events())
    assert os.listdir(task.work / "_miniwdl_inputs/0") == ["reads.bam.bai"]


def test_retries_find_themselves_under_the_same_name(backend: ProcessBackend, tmp_path: Path) -> None:
    source = tmp_path / "input.txt"
    source.write_text("text\n")
    command = f"ls; cat {tmp_path}/call/work/_miniwdl_inputs/0/input.txt; pwd; echo > attempt; exit 1"
    first = process_task(tmp_path / "call", command, inputs=[source])
    second = retry_of(first)
    third = msgspec.structs.replace(retry_of(second), attempt=3)
    for task in (first, second, third):
        assert backend.run(task, Cancellation(), Events()).exit_code == 1
        lines = task.stdout.read_text().splitlines()
        assert lines == ["_miniwdl_inputs", "text", f"{tmp_path}/call/work"]
        assert (task.work.resolve() / "attempt").exists()
    assert (tmp_path / "call/work1/attempt").exists(), "the first attempt's files are gone"


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("LC_TIME", "C")


@pytest.mark.usefixtures("surroundings")
def test_the_environment_is_chosen(head: Head, backend: ProcessBackend, tmp_path: Path) -> None:
    task = process_task(tmp_path / "call", "env", environment={"MINE": "x y", "PATH": os.environ["PATH"]})
    backend.run(task, Cancellation(), Events())
    seen = dict(line.split("=", 1) for line in task.stdout.read_text().splitlines())
    assert (seen["MINE"], seen["LC_TIME"], seen[MARK]) == ("x y", "C", head.id)
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    assert not os.path.exists(seen["TMPDIR"]), "the task's temporary directory was left"


def test_a_temporary_directory_that_the_task_was_given_is_used(run: Callable[..., Outcome], tmp_path: Path) -> None:
    run("echo $TMPDIR; touch $(mktemp)", environment={"TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]})
    assert (tmp_path / "call/stdout.txt").read_text() == f"{tmp_path}\n"


def test_usage_is_measured(run: Callable[..., Outcome]) -> None:
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    size = max(600 << 20, ours + (100 << 20))  # what is less than ours is not told apart from it
    program = f"{sys.executable} -c 'x = bytearray({size}); sum(range(3_000_000))'"
    usage = run(program).usage
    assert usage.memory_peak is not None and size < usage.memory_peak < size + (200 << 20)
    assert usage.cpu_seconds is not None and 0.05 < usage.cpu_seconds < 60
    assert usage.seconds is not None and usage.source == "rusage"


def test_a_peak_below_our_own_is_not_passed_off_as_the_commands(run: Callable[..., Outcome]) -> None:
    assert run("true").usage.memory_peak is None


@pytest.mark.parametrize(
    ("allowed", "fields", "refused"),
    [
        (False, {}, False),
        (False, {"images": ("ubuntu:22.04",)}, False),
        (False, {"images": ("bwa:0.7.17",), "names_image": True}, True),
        (True, {"images": ("bwa:0.7.17",), "names_image": True}, False),
        (True, {"dockerfile": "FROM scratch"}, True),
    ],
)
def test_refusals(head: Head, tmp_path: Path, allowed: bool, fields: dict[str, Any], refused: bool) -> None:
    backend = ProcessBackend(Workplace(Settings(sandbox="never"), head), allow_images=allowed)
    assert bool(backend.refusal(process_task(tmp_path / "call", "true", **fields))) is refused
    backend.close()


def test_it_says_that_there_is_no_sandbox(backend: ProcessBackend) -> None:
    assert backend.description == "processes without a sandbox: switched off"


def test_closing_removes_temporary_files(head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    backend = ProcessBackend(Workplace(Settings(sandbox="never"), head), allow_images=False)
    task = process_task(tmp_path / "call", "mkdir -p $TMPDIR/a/b; touch $TMPDIR/a/b/c; chmod -R a-w $TMPDIR/a")
    assert backend.run(task, Cancellation(), Events()).ending is Ending.OK
    backend.close()
    assert not list(tmp_path.glob("cromulent-*"))
