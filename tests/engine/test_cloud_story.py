"""The whole story in real containers, with IAM enforced and the permissions that `cromulent policy` prints, no others.

The head's container has the file system mounted and nothing else, and its image has Debian's python3 alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.engine import Engine
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings
from tests.engine.conftest import load
from tests.engine.images import debian_python
from tests.simulator.cloud_runs import Machine, user
from tests.simulator.conftest import started

WDL = """version 1.1
task count {{
  input {{ File text }}
  command <<< echo counting >&2; wc -l < ~{{text}} > lines; tr a-z A-Z < ~{{text}} > loud.txt >>>
  output {{ Int lines = read_int("lines")  File loud = "loud.txt" }}
  runtime {{ docker: "{image}" }}
}}
workflow counting {{
  input {{ Array[File] texts }}
  scatter (text in texts) {{ call count {{ input: text = text }} }}
  output {{ Array[Int] lines = count.lines  Array[File] loud = count.loud }}
}}
"""


@pytest.fixture(scope="module")
def cloud(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    refusal = debian_python.refusal()
    if refusal:
        pytest.skip(refusal)
    if engine.image(debian_python.TAG) is None:
        load(engine, debian_python.python_image())
    yield from started(tmp_path_factory, Settings(enforce_iam=True, data_plane=engine.facts.kind))


def test_from_an_empty_account_to_an_empty_account(
    cloud: Simulation, engine: Engine, image: str, tmp_path: Path
) -> None:
    root = Machine.new(cloud, tmp_path / "root")
    maker = Machine.new(cloud, tmp_path / "maker", user(cloud, root, "maker"))
    runner = Machine.new(cloud, tmp_path / "runner", user(cloud, root, "runner", "--run"))
    made = maker("up", "--yes", "--head-image", debian_python.TAG)
    assert made.status == 0, made.err

    runner.write("counting.wdl", WDL.format(image=image))
    texts = [str(runner.write(f"{name}.txt", f"{name}\n" * count)) for count, name in enumerate(("a", "b"), start=1)]
    arguments = ("counting.wdl", *(f"texts={text}" for text in texts))
    here = runner("run", *arguments, "--backend", engine.facts.kind, "--no-cache")
    assert here.status == 0, here.err
    left = runner("run", *arguments, "--on", "aws", "--detach")
    assert left.status == 0, left.err
    (run,) = left.out.splitlines()

    elsewhere = Machine(tmp_path / "elsewhere", {**runner.environment, "XDG_STATE_HOME": str(tmp_path / "elsewhere")})
    elsewhere.directory.mkdir()
    followed = elsewhere("attach", run)
    assert followed.status == 0, followed.err + elsewhere("logs", run).out
    assert elsewhere("logs", run, "count[1", "-f").out == "counting\n"
    brought = elsewhere("outputs", run, "--download", "home").result["outputs"]
    assert brought["counting.lines"] == here.result["outputs"]["counting.lines"] == [1, 2]
    assert [Path(path).read_text() for path in brought["counting.loud"]] == ["A\n", "B\nB\n"]
    assert Path(brought["counting.loud"][0]).is_relative_to(elsewhere.directory / "home")

    gone = maker("down", "--delete-data", "--confirm", "cromulent")
    assert gone.status == 0, gone.err
    assert "Nothing carries the deployment's tag any more" in gone.err
