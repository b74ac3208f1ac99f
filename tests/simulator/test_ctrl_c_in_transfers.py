"""Ctrl-C, and `stop`, while a large file is on its way by a line that would take long for it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.fakes.cut_line import network_line
from tests.programs import ended, on_a_terminal

from .cloud import Cloud, until
from .cloud_runs import Machine
from .conftest import account_number, started

SIZE = 40_000_000
RATE = 500_000.0
"""Bytes a second and connection: the file would take half a minute at the least."""
AT_ONCE = 10.0
READING = "version 1.1\ntask big { input { File f } command <<< wc -c < ~{f} >>> }\n"


@pytest.fixture
def account() -> str:
    return str(account_number())


@pytest.fixture
def cloud(processes: Simulation, account: str) -> Iterator[Cloud]:
    with Cloud.at(processes.address, account, "secret") as made:
        yield made


@pytest.fixture
def laptop(processes: Simulation, account: str, tmp_path: Path) -> Iterator[Machine]:
    """A machine at the end of a slow line."""
    with network_line(lambda: processes.port, RATE) as (_, port):
        keys = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "secret"}
        machine = Machine.new(processes, tmp_path / "laptop", keys)
        machine.write("big.wdl", READING)
        yield replace(machine, environment={**machine.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})


def test_while_it_is_uploaded_for_a_run_in_the_cloud(processes: Simulation, laptop: Machine) -> None:
    near = replace(laptop, environment={**laptop.environment, "AWS_ENDPOINT_URL": processes.address})
    assert near("up", "--yes").status == 0
    near.write("small.txt", "small\n")
    assert near("run", "big.wdl", "f=small.txt", "--on", "aws", "--detach").status == 0  # what heads need goes up
    (laptop.directory / "big").write_bytes(b"\1" * SIZE)
    command = [sys.executable, "-m", "cromulent_wdl", "run", "big.wdl", "f=big", "--on", "aws"]
    environment = {**laptop.environment, "TERM": "xterm"}
    with on_a_terminal(command, cwd=laptop.directory, env=environment) as terminal:
        terminal.hear("uploading")
        pressed = SYSTEM.monotonic()
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(60) == 130
        assert SYSTEM.monotonic() - pressed < AT_ONCE
        assert "Nothing was started." in terminal.rest()
    assert len(near("ls", "--all", "--json").result) == 1, "the one before"


@pytest.fixture
def address(cloud: Cloud, account: str) -> str:
    """Where such a file lies."""
    bucket = f"lab-{account}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    cloud.client("s3").put_object(Bucket=bucket, Key="big", Body=b"\1" * SIZE)
    return f"s3://{bucket}/big"


def test_while_it_is_downloaded_for_a_run_here(laptop: Machine, address: str) -> None:
    head = laptop.start("run", "big.wdl", f"f={address}", "--backend", "process")
    until(lambda: _on_its_way(laptop.directory), 60)
    pressed = SYSTEM.monotonic()
    head.send_signal(signal.SIGINT)
    _, said = ended(head)
    assert SYSTEM.monotonic() - pressed < AT_ONCE
    assert head.returncode == 130 and "big was stopped." in said
    assert not _on_its_way(laptop.directory)


def _on_its_way(directory: Path) -> list[Path]:
    """Return what there is of the file, whatever it is called on its way."""
    return [path for path in directory.glob("*_big/**/*") if path.is_file() and path.stat().st_size > 100_000]


def test_stop_while_a_head_fetches_it(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    ports: list[int] = []
    with network_line(lambda: ports[0], RATE * 4) as (_, port):  # which brings what the head itself needs, too
        settings = Settings(data_plane="process", tasks_endpoint=f"http://127.0.0.1:{port}")
        with contextmanager(started)(tmp_path_factory, settings) as simulation:
            ports.append(simulation.port)
            laptop = Machine.new(simulation, tmp_path / "laptop")
            assert laptop("up", "--yes").status == 0
            laptop.write("big.wdl", READING)
            (laptop.directory / "big").write_bytes(b"\1" * SIZE)
            (run,) = laptop("run", "big.wdl", "f=big", "--on", "aws", "--detach").out.split()
            until(lambda: list(simulation.files.glob("*/**/inputs/.parts/*/*")), 60)
            stopped = laptop("stop", run)
            assert stopped.status == 0 and stopped.err.endswith(f"{run}: stopped\n"), stopped.err
            assert laptop("wait", run).status == 130
            assert not list(simulation.files.glob("*/**/inputs/.parts/*/*"))
