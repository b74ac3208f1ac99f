import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from click.shell_completion import get_completion_class

from cromulent_wdl import __version__
from cromulent_wdl.cli import overview, ui
from cromulent_wdl.cli.group import group
from cromulent_wdl.cli.main import _invoke, run
from cromulent_wdl.errors import UsageError
from cromulent_wdl.storage import layout
from tests.fakes.journals import beginning, failed_run, make_run, run_under_way
from tests.programs import ended, on_a_terminal, running

SLOW_TO_IMPORT = {"WDL", "click", "rich", "docker", "msgspec", "psutil", "typing", "dataclasses", "asyncio"}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    return tmp_path


def cromulent(*arguments: str, environment: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cromulent_wdl", *arguments]
    return subprocess.run(command, env=environment, text=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("completes", [False, True], ids=["--help", "completion"])
def test_help_and_the_completion_of_a_command_import_next_to_nothing(completes: bool) -> None:
    words = {"COMP_WORDS": "cromulent st", "COMP_CWORD": "1", overview.COMPLETE_VARIABLE: "bash_complete"}
    program = (
        "import sys; before = set(sys.modules)\n"
        "from cromulent_wdl.cli import main\n"
        "try: main.main()\n"
        "except SystemExit as done: assert not done.code\n"
        "print(sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *([] if completes else ["--help"])],
        env={**os.environ, **(words if completes else {})},
        text=True,
        capture_output=True,
    )
    assert done.stdout == ("plain,status\nplain,stop\n" if completes else overview.help_text() + "\n")
    imported = set(eval(done.stderr))
    assert not imported & SLOW_TO_IMPORT
    assert {name for name in imported if name.startswith("cromulent_wdl.")} == {
        f"cromulent_wdl.{name}" for name in ("cli", "cli.main", "cli.overview", "cli.streams", "cli.ui", "errors")
    }


def test_the_help_fits_a_terminal_and_names_every_command() -> None:
    text = overview.help_text()
    assert max(len(line) for line in text.splitlines()) <= 80
    for name, _, _ in overview.COMMANDS:
        assert f" {name} " in text
    for arguments in ((), ("-h",), ("--help",), ("-v", "--help")):
        assert cromulent(*arguments).stdout == text + "\n"


def test_every_command_of_the_overview_is_there_and_has_its_own_help() -> None:
    context = click.Context(group, info_name="cromulent")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None and command.name == name
        lines = command.get_help(click.Context(command, info_name=name, parent=context)).splitlines()
        assert max(len(line) for line in lines) <= 80, name


def test_the_version_alone_and_with_what_it_stands_on() -> None:
    assert cromulent("--version").stdout == f"cromulent {__version__}\n"
    lines = dict(line.split(maxsplit=1) for line in cromulent("-v", "--version").stdout.splitlines())
    assert lines["cromulent"] == __version__
    assert set(lines) == {"cromulent", "miniwdl", "python", "tuning"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stats"], "there is no command 'stats'\nhint: did you mean 'status'?\n"),
        (["xyzzy"], "there is no command 'xyzzy'\nhint: `cromulent --help` lists the commands\n"),
        (["status", "nosuchrun"], "there is no run 'nosuchrun', nor any other\nhint: start one:"),
        (["ls", "--al"], "No such option '--al'."),
        (["ls", "-n", "x"], "hint: `cromulent ls --help` says what it takes\n"),
        (["--nonsense"], "No such option '--nonsense'"),
        (["-v", "ls"], "-v goes with --version"),
        (["check"], "Missing argument 'SOURCE...'."),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_a_hint(arguments: list[str], said: str) -> None:
    done = cromulent(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_trace_of_an_expected_error_too() -> None:
    assert "RunNotFound" in cromulent("--debug", "status", "nosuchrun").stderr


def test_a_state_directory_that_cannot_be_made_is_said_as_the_system_says_it(place: Path) -> None:
    (place / "state").write_text("a file")
    done = cromulent("ls")
    assert done.returncode == 1
    assert done.stderr == f"Not a directory: {place}/state/cromulent\n"


def _raise(error: BaseException) -> int:
    raise error


def test_a_defect_is_told_in_a_sentence_and_its_trace_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ls"], lambda _: _raise(KeyError("what"))) == 70
    first, second = capsys.readouterr().err.splitlines()
    assert first == "cromulent has a defect: KeyError: 'what'"
    trace = Path(second.rpartition(" ")[2])
    assert trace.parent == layout.defects_directory()
    assert "Traceback" in trace.read_text() and __version__ in trace.read_text()
    run(["ls", "--debug"], lambda _: _raise(KeyError("what")))
    assert "Traceback" in capsys.readouterr().err


def test_a_defect_is_told_even_where_nothing_can_be_written(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "state").write_text("a file")
    assert run(["ls"], lambda _: _raise(KeyError("what"))) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BrokenPipeError(), 141),
        (UsageError("no", hint="yes"), 2),
        (SystemExit(7), 7),
        (SystemExit(None), 0),
    ],
)
def test_each_end_has_its_exit_status(error: BaseException, status: int) -> None:
    assert run(["ls"], lambda _: _invoke(lambda: _raise(error))) == status


def test_an_interrupted_command_leaves_with_130_and_no_trace(place: Path) -> None:
    make_run(place / "run", [beginning(_now(), pid=os.getpid())])
    (place / "run" / "workflow.log").write_text("begun\n")
    command = [sys.executable, "-m", "cromulent_wdl", "logs", "last", "-f"]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGINT)
        _, said = ended(process)
    assert (process.returncode, said) == (130, b"")


def _now() -> float:
    import psutil

    return float(psutil.Process().create_time()) + 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("word", ["", "st", "c", "nope"])
def test_the_quick_completion_says_what_clicks_own_does(shell: str, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "COMP_WORDS": f"cromulent {word}",
        "COMP_CWORD": word if shell == "fish" else "1",
        overview.COMPLETE_VARIABLE: f"{shell}_complete",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    complete = get_completion_class(shell)
    assert complete is not None
    assert overview.answer([], environment) == complete(group, {}, "cromulent", overview.COMPLETE_VARIABLE).complete()


def _completed(words: str) -> list[str]:
    count = str(words.count(" "))
    environment = {"COMP_WORDS": words, "COMP_CWORD": count, overview.COMPLETE_VARIABLE: "bash_complete"}
    done = cromulent(environment={**os.environ, **environment})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_options_runs_calls_and_inputs_are_completed(place: Path) -> None:
    make_run(place / "20261122_190411_align", run_under_way(1.0))
    (place / "w.wdl").write_text(
        "version 1.1\ntask t {\n input {\n File reads\n Int ram = 4\n}\n command {}\n runtime { docker: 'x:1' }\n}\n"
    )
    wdl = f"cromulent run {place}/w.wdl"
    assert _completed("cromulent ls --a") == ["plain,--all"]
    assert _completed("cromulent status 2026") == ["plain,20261122_190411_align"]
    assert _completed("cromulent status ") == ["plain,last", "plain,20261122_190411_align"]
    assert _completed("cromulent status ./") == ["dir,./"]
    assert _completed("cromulent logs last al") == ["plain,align[0]", "plain,align[1]", "plain,align[2]"]
    assert _completed("cromulent logs nosuchrun al") == []
    assert _completed(f"{wdl} ") == ["plain,reads="]
    assert _completed(f"{wdl} ra") == ["plain,ram="]
    assert _completed(f"{wdl} reads=a") == ["file,reads=a"]
    assert _completed(f"{wdl} reads = a") == ["file,a"]
    assert _completed(f"{wdl} nosuchinput") == ["file,nosuchinput"]
    assert _completed("cromulent run nosuch.wdl ") == ["file,"]
    assert _completed("cromulent check w") == ["file,w"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    done = cromulent("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{overview.COMPLETE_VARIABLE}={shell}_complete" in done.stdout
    assert cromulent("completion", environment={**os.environ, "SHELL": f"/bin/{shell}"}).stdout == done.stdout


def test_bash_completes_with_the_script(place: Path) -> None:
    script = place / "completion.bash"
    script.write_text(cromulent("completion", "bash").stdout)
    (place / "cromulent").write_text(f'#!/bin/sh\nexec {sys.executable} -m cromulent_wdl "$@"\n')
    (place / "cromulent").chmod(0o755)
    ask = "COMP_WORDS=(cromulent st); COMP_CWORD=1; _cromulent_completion cromulent; echo ${COMPREPLY[@]}"
    environment = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", f"source {script}; {ask}"], env=environment, text=True, capture_output=True
    )
    assert (done.stdout, done.stderr) == ("status stop\n", "")


def test_a_shell_that_has_no_completion(monkeypatch: pytest.MonkeyPatch) -> None:
    done = cromulent("completion", environment={**os.environ, "SHELL": "/bin/tcsh"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "no completion for the shell 'tcsh'" in done.stderr


def _on_a_terminal(*arguments: str, **environment: str) -> str:
    """Run on a terminal of 80 columns and return what appears there."""
    command = [sys.executable, "-m", "cromulent_wdl", *arguments]
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with on_a_terminal(command, env={**inherited, "COLUMNS": "80", "TERM": "xterm", **environment}) as terminal:
        return terminal.rest()


def test_tables_fit_a_terminal_and_have_colour_there_unless_it_is_unwanted(place: Path) -> None:
    make_run(place / "20261122_190411_align", failed_run(1.0))
    for arguments in (("status", "last"), ("ls",), ("status", "nosuchrun")):
        colour, plain = _on_a_terminal(*arguments), _on_a_terminal(*arguments, NO_COLOR="1")
        assert "\x1b[" in colour
        assert "\x1b" not in plain
        rows = [line for line in plain.splitlines() if line.lstrip()[:1] in tuple("✔✘■")]
        assert rows or "nosuchrun" in arguments
        assert all(len(line) <= 80 for line in rows)
    assert "\x1b" not in _on_a_terminal("status", "last", TERM="dumb")
    assert "\x1b" not in cromulent("status", "last").stdout


def test_a_path_in_the_home_directory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert ui.short_path("/home/ada/runs") == "~/runs"
    assert ui.short_path("/home/ada") == "~"
    assert ui.short_path("/home/adam/runs") == "/home/adam/runs"
