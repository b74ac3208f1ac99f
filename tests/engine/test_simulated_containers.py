"""`cromulent simulate` with real containers, from outside: a script of AWS CLI calls, and nothing left after it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from cromulent_wdl.engine import Engine
from cromulent_wdl.simulator.planes.container_request import TASK_LABEL

HERE = Path(__file__).parent
TEMPLATE = HERE.parent / "simulator" / "stack.yaml"


def test_a_script_of_the_aws_cli_runs_containers_and_leaves_nothing(engine: Engine, image: str, tmp_path: Path) -> None:
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
    tasks = re.findall("^task (.+)$", done.stderr, re.MULTILINE)
    assert len(tasks) == 2
    assert [engine.labelled(TASK_LABEL, task) for task in tasks] == [(), ()]
    assert [each for each in tmp_path.glob("cromulent/heads/*/*") if each.is_dir()] == []
