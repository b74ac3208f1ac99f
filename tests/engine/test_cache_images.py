"""The call cache and real images: a result stands for as long as the image's name means the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cromulent_wdl.engine import Engine
from tests.engine.conftest import load
from tests.engine.images.archive import image_archive

TAG = "cromulent-tests/cached:1"
TASK = f"""
version 1.1
task greet {{
  input {{ String name }}
  command <<< echo "$GREETING, ~{{name}}" >>>
  output {{ String said = read_string(stdout()) }}
  runtime {{ docker: "{TAG}" }}
}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "greet.wdl").write_text(TASK)
    return tmp_path


def run(place: Path, backend: str) -> tuple[str, bool, str]:
    """Run the task; return what it said, whether that came from the cache, and the log."""
    homes = {"XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache"), "HOME": str(place)}
    done = subprocess.run(
        [sys.executable, "-m", "cromulent_wdl", "run", "-v", "--backend", backend, "greet.wdl", "name=World"],
        cwd=place,
        env=os.environ | homes,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    journal = Path(result["dir"], "journal.jsonl").read_text()
    return result["outputs"]["greet.said"], '"call_cached"' in journal, done.stderr


def load_greeting(engine: Engine, layer: bytes, greeting: str) -> None:
    load(engine, image_archive(layer, [TAG], {"Env": [f"GREETING={greeting}", "PATH=/bin"]}))


def test_a_result_stands_while_the_images_name_means_the_same(
    engine: Engine, busybox_layer: bytes, place: Path
) -> None:
    load_greeting(engine, busybox_layer, "Hello")
    assert run(place, engine.facts.kind)[:2] == ("Hello, World", False)
    assert run(place, engine.facts.kind)[:2] == ("Hello, World", True)
    load_greeting(engine, busybox_layer, "Good day")
    said, cached, log = run(place, engine.facts.kind)
    assert (said, cached) == ("Good day, World", False)
    assert f"its image {TAG} has changed" in log
    assert run(place, engine.facts.kind)[:2] == ("Good day, World", True)
    said, cached, log = run(place, "process")
    assert (said, cached) == (", World", False)
    assert "one was made in a container, the other is not to be" in log
