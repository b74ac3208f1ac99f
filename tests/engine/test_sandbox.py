"""What a task in bubblewrap can see and do, on real processes."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cromulent_wdl.backends.heads import Head
from cromulent_wdl.backends.process import ProcessBackend, sandbox
from cromulent_wdl.backends.seam import Cancellation
from cromulent_wdl.backends.strays import strays
from cromulent_wdl.backends.workplace import Workplace
from cromulent_wdl.config import Settings
from cromulent_wdl.model import Ending, Resources
from tests.engine.sandboxed import Calls
from tests.fakes.process_tasks import retry_of
from tests.fakes.waiting import eventually

pytestmark = pytest.mark.bubblewrap


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory with secrets in it, which the sandbox is looked for anew to find."""
    home = (Path("/var/lib") if os.geteuid() == 0 else Path.home()) / f"cromulent-test-{os.getpid()}"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (home / ".aws").mkdir(parents=True)
    (home / ".local").mkdir()
    (home / ".aws/credentials").write_text("secret")
    (home / ".netrc").write_text("secret")
    sandbox.find_sandbox.cache_clear()
    try:
        found = sandbox.find_sandbox()
        if isinstance(found, str):
            pytest.skip(found)
        yield home
    finally:
        sandbox.find_sandbox.cache_clear()
        shutil.rmtree(home)


@pytest.fixture
def head(tmp_path: Path, home: Path) -> Iterator[Head]:
    with closing(Head.open("a_run", tmp_path)) as opened:
        yield opened


@pytest.fixture
def backend(head: Head) -> Iterator[ProcessBackend]:
    settings = Settings(sandbox="always", stop_grace=0.2)
    with closing(ProcessBackend(Workplace(settings, head), allow_images=False)) as made:
        yield made


@pytest.fixture(params=["run under /tmp", "run under the home directory", "run known by a link"])
def calls(request: pytest.FixtureRequest, backend: ProcessBackend, tmp_path: Path, home: Path) -> Calls:
    directory = {
        "run under /tmp": tmp_path / "run",
        "run under the home directory": home / "run",
        "run known by a link": tmp_path / "link" / "run",
    }[request.param]
    (tmp_path / "link").symlink_to(home)
    return Calls(backend, directory)


def test_it_says_so(backend: ProcessBackend, calls: Calls) -> None:
    assert backend.description == "processes in bubblewrap"
    assert backend.refusal(calls.task("true")) is None


def test_a_command_works_where_it_is(calls: Calls) -> None:
    outcome, output = calls("pwd; touch made; cat ../command | wc -l; id -u")
    assert outcome.ending is Ending.OK
    assert output == f"{calls.directory}/call1/work\n0\n{os.geteuid()}\n"
    assert (calls.directory / "call1/work/made").exists()


@pytest.mark.parametrize("command", ["exit 3", "kill -9 $$", "kill -TERM $$", "trap '' TERM; kill -TERM $$; exit 4"])
def test_statuses_are_what_they_are_without_a_sandbox(calls: Calls, command: str) -> None:
    outcome, output = calls(command)
    expected = {"exit 3": 3, "kill -9 $$": 137, "kill -TERM $$": 143}.get(command, 4)
    assert (outcome.ending, outcome.exit_code, output) == (Ending.FAILED, expected, "")


def test_the_machine_cannot_be_written(calls: Calls, home: Path) -> None:
    for place in ("/usr/cromulent", str(home / "x"), "/etc/cromulent", "../command"):
        outcome, output = calls(f"echo > {place}")
        assert outcome.exit_code == 1 and "Read-only file system" in output, place
        assert outcome.message.startswith("the command ended with status 1; in the sandbox it can write")
        assert outcome.message.startswith("the command ended with status 1; in the sandbox it can write")
    assert (calls.directory / "call4/command").read_text().startswith("echo")


def test_what_is_written_beside_the_working_directory_is_lost_as_in_a_container(calls: Calls) -> None:
    outcome, output = calls("touch ../other; ls ..")
    assert outcome.ending is Ending.OK
    assert output.split() == ["command", "other", "work"]
    assert not (calls.directory / "call1/other").exists()


def test_temporary_files_are_private_on_disk_and_gone_afterwards(calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    outcome, output = calls(
        f"ls {tmp_path}/mine /tmp/mine; touch /tmp/made /var/tmp/made\n"
        "stat -f -c %T /tmp; mktemp; echo ${TMPDIR:-none}"
    )
    lines = output.splitlines()
    assert (
        outcome.ending is Ending.OK and "tmpfs" not in lines[0] and lines[1].startswith("/tmp/") and lines[2] == "none"
    )
    assert output.count("No such file") == 2
    assert not os.path.exists("/tmp/made") and not os.path.exists("/var/tmp/made")


def test_home_can_be_written_and_is_the_tasks_own(calls: Calls, home: Path) -> None:
    outcome, output = calls(
        "mkdir ~/.cache && echo new > ~/.cache/tool && cat ~/.cache/tool; python3 -m site --user-base"
    )
    assert (outcome.ending, output) == (Ending.OK, f"new\n{home}/.local\n")
    outcome, output = calls("test ! -e ~/.cache")
    assert (outcome.ending, output) == (Ending.OK, "")
    assert not (home / ".cache").exists()


def test_home_is_where_the_task_is_told(calls: Calls, home: Path) -> None:
    _, output = calls("echo > ~/x; echo $HOME", environment={"HOME": str(home)})
    assert output.startswith(f"{home}\n") and "Read-only file system" in output


def test_credentials_and_sockets_of_engines_are_out_of_sight(calls: Calls, home: Path, backend: ProcessBackend) -> None:
    outcome, output = calls(
        f"ls -A {home}/.aws; cat {home}/.netrc; test -S /run/docker.sock || test -S /run/podman/podman.sock"
    )
    assert (outcome.exit_code, output) == (1, "")
    assert (home / ".netrc").read_text() == "secret"


def test_an_input_among_credentials_is_an_input(calls: Calls, home: Path) -> None:
    outcome, output = calls("cat _miniwdl_inputs/0/credentials", inputs=[home / ".aws/credentials"])
    assert (outcome.ending, output) == (Ending.OK, "secret")


def test_inputs_are_read_only_and_their_mount_points_gone_afterwards(calls: Calls, tmp_path: Path) -> None:
    odd = tmp_path / "a: 'b' \"c\" ü, {d}.txt"
    odd.write_text("odd\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside").write_text("inside\n")
    link = tmp_path / "link.txt"
    link.symlink_to(odd)
    task = calls.task(
        "cat _miniwdl_inputs/0/* _miniwdl_inputs/1/folder/inside _miniwdl_inputs/2/link.txt\n"
        f"cat '{calls.directory}/call1/work/_miniwdl_inputs/2/link.txt'\n"
        "for f in _miniwdl_inputs/0/* _miniwdl_inputs/1/folder/inside _miniwdl_inputs/1/folder/new; do\n"
        '  (echo no > "$f") 2> /dev/null && echo written\ndone; ln -s _miniwdl_inputs/2/link.txt output',
        inputs=[odd, folder, link],
    )
    assert calls.run(task).ending is Ending.OK, task.stderr.read_text()
    assert task.stdout.read_text() == "odd\ninside\nodd\nodd\n"
    assert odd.read_text() == "odd\n"
    assert os.listdir(task.work) == ["output"] and not (task.work / "output").exists()


def test_hundreds_of_inputs_are_files(calls: Calls, tmp_path: Path) -> None:
    inputs = [tmp_path / f"{number}.txt" for number in range(120)]
    for file in inputs:
        file.write_text("x")
    outcome, output = calls("find _miniwdl_inputs -type f -exec cat {} + | wc -c", inputs=inputs)
    assert (outcome.ending, output) == (Ending.OK, "120\n")


def test_very_many_inputs_take_links_unless_they_are_out_of_sight(calls: Calls, tmp_path: Path, home: Path) -> None:
    folders = (tmp_path / "hidden", home / "seen")
    inputs = []
    for folder in folders:
        folder.mkdir()
        for number in range(301):
            inputs.append(folder / f"{number}.txt")
            inputs[-1].write_text("x")
    outcome, output = calls("cat _miniwdl_inputs/*/*.txt | wc -c; find _miniwdl_inputs -type l | wc -l", inputs=inputs)
    assert (outcome.ending, output) == (Ending.OK, "602\n301\n")
    assert os.listdir(calls.directory / "call1/work") == []


def test_a_retry_finds_itself_under_the_same_name(calls: Calls, tmp_path: Path) -> None:
    source = tmp_path / "input.txt"
    source.write_text("text\n")
    first = calls.task("pwd; ls; cat $PWD/_miniwdl_inputs/0/input.txt; touch $PWD/attempt; exit 1", inputs=[source])
    second = retry_of(first)
    third = retry_of(second)
    for task in (first, second, third):
        assert calls.run(task).exit_code == 1
        assert task.stdout.read_text() == f"{first.directory}/work\n_miniwdl_inputs\ntext\n", task.stderr.read_text()
        assert (task.work.resolve() / "attempt").exists()


def test_processes_outside_are_not_seen_and_those_inside_end_with_the_command(calls: Calls, head: Head) -> None:
    outcome, output = calls("(setsid sleep 600 &); sleep 601 & ls -d /proc/[0-9]* | wc -l")
    assert outcome.ending is Ending.OK and int(output) < 12
    assert strays(head.id) == [], "run() returned while something was left"


@pytest.mark.parametrize("heeds", [True, False])
def test_a_cancelled_task_is_asked_first_and_then_killed_with_all_that_it_started(
    calls: Calls, head: Head, heeds: bool
) -> None:
    trap = "trap 'echo bye; exit 9' TERM" if heeds else "trap '' TERM"
    task = calls.task(f"{trap}; (setsid sleep 600 &); touch ready; while :; do sleep 0.05; done")
    cancelled = Cancellation()
    thread, outcomes = calls.start(task, cancelled)
    assert eventually((task.work / "ready").exists)
    cancelled.cancel()
    thread.join(30)
    (outcome,) = outcomes
    assert (outcome.ending, outcome.exit_code) == (Ending.STOPPED, 9 if heeds else 137)
    assert task.stdout.read_text() == ("bye\n" if heeds else "")
    assert strays(head.id) == []


def test_a_task_cancelled_while_its_sandbox_is_set_up_ends(calls: Calls, head: Head) -> None:
    for _ in range(10):
        cancelled = Cancellation()
        thread, outcomes = calls.start(calls.task("sleep 600"), cancelled)
        assert eventually(lambda: strays(head.id))
        cancelled.cancel()
        thread.join(30)
        assert outcomes and outcomes[0].ending is Ending.STOPPED
    assert strays(head.id) == []


def test_the_network_is_the_machines(calls: Calls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        outcome, output = calls(f"exec 3<> /dev/tcp/127.0.0.1/{server.getsockname()[1]}")
    assert outcome.ending is Ending.OK, output


def test_usage_counts_the_commands_children(calls: Calls) -> None:
    program = "python3 -c 'x = bytearray(600 << 20); sum(range(3_000_000))'"
    outcome, output = calls(f"{program} && true", environment={"PATH": os.environ["PATH"]})
    assert outcome.ending is Ending.OK, output
    assert outcome.usage.memory_peak is not None and outcome.usage.memory_peak > 600 << 20
    assert outcome.usage.cpu_seconds is not None and outcome.usage.cpu_seconds > 0.05


def test_an_input_that_vanishes_is_a_mount_failure_that_says_which(calls: Calls, tmp_path: Path) -> None:
    gone = tmp_path / "gone.txt"
    outcome, _ = calls("true", inputs=[gone])
    assert outcome.ending is Ending.MOUNT and "gone.txt" in outcome.message and outcome.exit_code is None


def test_a_shell_out_of_sight_is_no_shell(calls: Calls, tmp_path: Path, home: Path) -> None:
    for directory, ending in ((home, Ending.OK), (tmp_path, Ending.NO_SHELL)):
        shell = directory / "shell"
        shell.symlink_to("/bin/bash")
        assert calls("true", shell=str(shell))[0].ending is ending


@pytest.mark.skipif(os.geteuid() != 0, reason="about root")
def test_root_in_the_sandbox_can_undo_nothing_of_it(calls: Calls) -> None:
    for attempt in ("mount -o remount,rw /", "umount /tmp", "mknod disk b 8 0", "mount -t tmpfs none work"):
        outcome, output = calls(attempt)
        assert outcome.exit_code not in (0, 127), (attempt, output)
    assert calls("touch f; chown 12345:12345 f; chmod 600 f; cat f")[0].ending is Ending.OK


def test_always_refuses_where_it_does_not_work(head: Head, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    sandbox.find_sandbox.cache_clear()
    for setting, refused in (("always", True), ("auto", False)):
        settings = Settings(sandbox="always" if setting == "always" else "auto")
        with closing(ProcessBackend(Workplace(settings, head), allow_images=False)) as backend:
            refusal = backend.refusal(calls.task("true"))
            assert refusal == ("setting sandbox is 'always', but bubblewrap is not installed" if refused else None)
            assert backend.description == "processes without a sandbox: bubblewrap is not installed"


def test_a_gpu_task_sees_the_machines_devices(calls: Calls) -> None:
    count = "ls /dev | wc -l"
    _, without = calls(count)
    _, with_gpu = calls(count, resources=Resources(gpu=True))
    assert int(with_gpu) == len(os.listdir("/dev")) > int(without)
