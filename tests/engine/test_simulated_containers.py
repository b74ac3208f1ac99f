"""`cromulent simulate` with real containers, from outside: a script of AWS CLI calls, and nothing left after it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cromulent_wdl.engine import Engine

HERE = Path(__file__).parent
TEMPLATE = HERE.parent / "simulator" / "stack.yaml"


def test_a_script_of_the_aws_cli_runs_containers_and_leaves_nothing(engine: Engine, image: str, tmp_path: Path) -> None:
    before = containers(engine)
    simulate = [sys.executable, "-m", "cromulent_wdl", "simulate", "--data-plane", engine.facts.kind, "--enforce-iam"]
    script = ["bash", str(HERE / "simulated.sh"), sys.executable, str(TEMPLATE), image]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "XDG_STATE_HOME": str(tmp_path),
    }
    done = subprocess.run([*simulate, "--", *script], env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == [
        "EssentialContainerExited\t0",
        "written by 1000",
        "EssentialContainerExited\t3",
        "42",
        *"000",
        "",
    ]
    assert containers(engine) == before
    assert [each for each in tmp_path.glob("cromulent/heads/*/*") if each.is_dir()] == []


def containers(engine: Engine) -> set[str]:
    """Return the names of all containers that the engine has, ended ones too."""
    listed = subprocess.run(
        [engine.facts.kind, "ps", "-a", "--format", "{{.Names}}"], capture_output=True, text=True, check=True
    )
    return set(listed.stdout.split())
