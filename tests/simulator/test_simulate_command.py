"""`cromulent simulate` from outside, driven by the AWS CLI as it is."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from tests.programs import ended, running

from .cloud import until

CROMULENT = [sys.executable, "-m", "cromulent_wdl", "simulate"]
AWS = [sys.executable, "-m", "awscli"]


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a user who has AWS credentials of her own, and nothing of a simulator."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_PROFILE": "mine",
        "AWS_ENDPOINT_URL_ECS": "https://elsewhere.example",
        "HOME": str(tmp_path),
        "TMPDIR": str(temporary),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }


def left_behind(environment: Mapping[str, str]) -> list[str]:
    """Return what a simulator has left: scratch directories, entries of heads, processes."""
    scratch = [each.name for each in Path(environment["TMPDIR"]).iterdir()]
    heads = [each.name for each in Path(environment["XDG_STATE_HOME"]).glob("cromulent/heads/*/*") if each.is_dir()]
    return scratch + heads + [str(each.pid) for each in processes(environment)]


def processes(environment: Mapping[str, str]) -> list[psutil.Process]:
    """Return the processes of this test's simulators."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("XDG_STATE_HOME") == environment["XDG_STATE_HOME"]:
                found.append(process)
        except psutil.Error:
            continue
    return [each for each in found if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def simulate(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CROMULENT, *arguments], env=environment, capture_output=True, text=True, timeout=120)


def test_a_command_runs_inside_it(environment: Mapping[str, str]) -> None:
    done = simulate(environment, "--", *AWS, "sts", "get-caller-identity")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Account"] == "123456789012"
    assert left_behind(environment) == []


def test_the_command_line_of_aws_makes_a_stack_and_runs_a_task(environment: Mapping[str, str], tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(
        f"""set -euo pipefail
        aws() {{ {sys.executable} -m awscli "$@"; }}
        output() {{ aws cloudformation describe-stacks --stack-name trial --output text \\
          --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"; }}
        aws cloudformation deploy --stack-name trial --capabilities CAPABILITY_IAM \\
          --template-file {Path(__file__).with_name("stack.yaml")} >&2
        cluster=$(output Cluster)
        subnet=$(output Subnets | cut -d, -f1)
        task=$(aws ecs run-task --cluster $cluster --task-definition trial-head --launch-type FARGATE \\
          --network-configuration "awsvpcConfiguration={{subnets=[$subnet],assignPublicIp=ENABLED}}" \\
          --query 'tasks[0].taskArn' --output text)
        aws ecs wait tasks-stopped --cluster $cluster --tasks $task
        aws ecs describe-tasks --cluster $cluster --tasks $task --query 'tasks[0].containers[0].exitCode'
        aws cloudformation delete-stack --stack-name trial
        aws cloudformation wait stack-delete-complete --stack-name trial
        aws ecs list-clusters --query 'length(clusterArns)'
        """
    )
    done = simulate(environment, "--", "bash", str(script))

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "0"]


def test_what_was_made_is_there_again_with_a_directory_for_it(environment: Mapping[str, str], tmp_path: Path) -> None:
    state = ["--state", str(tmp_path / "kept")]
    made = simulate(environment, *state, "--", *AWS, "sns", "create-topic", "--name", "kept")
    there = simulate(environment, *state, "--", *AWS, "sns", "list-topics", "--query", "Topics[].TopicArn")

    assert made.returncode == there.returncode == 0, made.stderr + there.stderr
    assert json.loads(there.stdout) == [json.loads(made.stdout)["TopicArn"]]
    assert left_behind(environment) == []


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -9 $$", 137)])
def test_the_exit_status_is_the_commands(environment: Mapping[str, str], script: str, status: int) -> None:
    assert simulate(environment, "--", "sh", "-c", script).returncode == status


def test_a_command_that_is_not_there_is_said_to_be_missing(environment: Mapping[str, str]) -> None:
    done = simulate(environment, "--", "no-such-command")

    assert done.returncode == 127
    assert "cannot run no-such-command" in done.stderr
    assert left_behind(environment) == []


def test_a_file_of_faults_is_followed(environment: Mapping[str, str], tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text('[[faults]]\nkind = "throttling"\naction = "sns:ListTopics"\n')
    once = {**environment, "AWS_MAX_ATTEMPTS": "1"}
    done = simulate(once, "--faults", str(faults), "--", *AWS, "sns", "list-topics")

    assert done.returncode != 0
    assert "Throttling" in done.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("[[faults]]\nkind = 'earthquake'\n", "earthquake"), ("faults = [", "faults.toml"), (None, "cannot read")],
)
def test_a_file_of_faults_that_cannot_be_followed_is_refused(
    environment: Mapping[str, str], tmp_path: Path, content: str | None, complaint: str
) -> None:
    faults = tmp_path / "faults.toml"
    if content is not None:
        faults.write_text(content)
    done = simulate(environment, "--faults", str(faults), "--", "true")

    assert done.returncode == 2
    assert complaint in done.stderr


def test_a_script_of_played_tasks_that_cannot_be_followed_is_refused(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "script.toml"
    script.write_text("[[rules]]\nseconds = 'long'\n")
    done = simulate(environment, "--play", str(script), "--", "true")

    assert done.returncode == 2
    assert "script.toml" in done.stderr


def test_a_port_that_is_taken_is_said_to_be(environment: Mapping[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = simulate(environment, "--port", str(taken.getsockname()[1]), "--", "true")

    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert left_behind(environment) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_how_to_reach_it_until_it_is_told_to_end(
    environment: Mapping[str, str], number: signal.Signals
) -> None:
    with running(CROMULENT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        lines = [run.stdout.readline().strip() for _ in range(7)]
        said = dict(line.removeprefix("export ").split("=") for line in lines[:-1])
        done = subprocess.run(
            [*AWS, "ecs", "list-clusters"], env={**os.environ, **said}, capture_output=True, text=True
        )
        run.send_signal(number)
        ended(run)

    assert lines[-1].startswith("unset AWS_PROFILE")
    assert json.loads(done.stdout) == {"clusterArns": []}
    assert run.returncode == (130 if number is signal.SIGINT else 143)
    assert left_behind(environment) == []


def test_nothing_is_left_when_it_is_killed(environment: Mapping[str, str]) -> None:
    run = subprocess.Popen([*CROMULENT, "--", "sh", "-c", "sleep 600; true"], env=environment)
    try:
        until(lambda: any("sleep" in each.name() for each in processes(environment)))
    finally:
        run.kill()
        run.wait(60)

    until(lambda: processes(environment) == [])
    until(lambda: not any(Path(environment["TMPDIR"]).glob("cromulent-*")))
    assert simulate(environment, "--", "true").returncode == 0
    assert left_behind(environment) == []


def test_it_ends_when_the_simulator_itself_is_killed(environment: Mapping[str, str]) -> None:
    with running(CROMULENT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        run.stdout.readline()
        server = next(each for each in processes(environment) if "cromulent_wdl.simulator.server" in each.cmdline())
        server.kill()
        _, talk = ended(run)

    assert run.returncode == 1
    assert "the simulator has ended by itself" in talk
    assert left_behind(environment) == []
