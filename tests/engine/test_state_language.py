"""The state machines of the template, by the validator of the Amazon States Language that npm has."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.provision import template

VALIDATOR = Path(__file__).parents[2] / ".cache/npm/node_modules/.bin/asl-validator"
"""Put there by tests.machine."""


def plain(value: Any) -> Any:
    """Return a definition as CloudFormation gives it to Step Functions, with a word for each of its functions."""
    if isinstance(value, dict) and len(value) == 1:
        (name, inner), *_ = value.items()
        if name == "Fn::Sub" and isinstance(inner, str):
            return re.sub(r"\$\{[^}]*\}", "aws", inner)
        if name == "Fn::Split":
            return ["subnet-1"]
        if name.startswith("Fn::") or name == "Ref":
            return "given"
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("machine", ["RunMachine", "SweepMachine"])
def test_the_machines_are_states_language(machine: str, tmp_path: Path) -> None:
    if not VALIDATOR.exists():
        pytest.skip("asl-validator is not installed: npm is missing, or tests.machine was not run")
    definition = tmp_path / f"{machine}.json"
    definition.write_text(json.dumps(plain(template.parsed()["Resources"][machine]["Properties"]["Definition"])))
    done = subprocess.run([VALIDATOR, "--json-path", definition], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
