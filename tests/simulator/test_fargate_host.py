"""A host that has the files, where IAM is enforced: what its credentials must be able to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cromulent_wdl.provision import find_deployment
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.simulator.settings import Settings

from .cloud import Cloud
from .cloud_runs import Machine, user
from .conftest import started
from .deployments import access_to
from .fargate import Lab

HELLO = """version 1.1
task hello {
  input { File name }
  command <<< echo "hello $(cat ~{name})" >>>
  output { String said = read_string(stdout()) }
}
"""


@pytest.fixture
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    yield from started(tmp_path_factory, Settings(enforce_iam=True, data_plane="process"))


def test_a_host_needs_what_who_runs_workflows_may_and_what_a_head_may(strict: Simulation, tmp_path: Path) -> None:
    admin = Machine.new(strict, tmp_path / "admin")
    made = admin("up", "--yes")
    assert made.status == 0, made.err
    keys, root = user(strict, admin, "host", "--run"), strict.environment
    with (
        Cloud.at(strict.address, root["AWS_ACCESS_KEY_ID"], root["AWS_SECRET_ACCESS_KEY"]) as cloud,
        Cloud.at(strict.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as own,
    ):
        host = Lab(strict, own, find_deployment(access_to(cloud), "cromulent"), tmp_path)
        host.mount.mkdir(parents=True, exist_ok=True)
        hello, name = tmp_path / "hello.wdl", tmp_path / "name"
        hello.write_text(HELLO)
        name.write_text("world")
        command = ("run", str(hello), f"name={name}", "--dir", str(host.mount))
        refused = host.run(*command)
        assert refused.status != 0
        assert "AWS denies it" in refused.stderr
        for policy in admin("policy", "--roles").result["head"]["Policies"]:
            cloud.client("iam").put_user_policy(
                UserName="host", PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"])
            )
        assert host.run(*command).outputs == {"hello.said": "hello world"}
