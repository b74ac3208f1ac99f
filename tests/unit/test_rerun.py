"""A run again: the same inputs, a source that was mended, other requests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SOURCE = """version 1.1
task align {
  input { Int sample }
  command <<< [ ~{sample} -lt 2 ] || exit 4; echo ~{sample} >>>
  output { Int o = read_int(stdout()) }
  runtime { memory: "1 GB" }
}
workflow work { input { Int samples } scatter (i in range(samples)) { call align { input: sample = i } } output { Array[Int] o = align.o } }
"""  # noqa: E501 - a line of WDL


@pytest.fixture
def cromulent(tmp_path: Path) -> object:
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("CROMULENT_", "MINIWDL_"))}
    places = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "CACHE")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cromulent_wdl", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env={**inherited, **places}, capture_output=True, text=True, timeout=60
        )

    return run


def test_a_mended_run_goes_on_with_its_inputs_and_other_requests(tmp_path: Path, cromulent: object) -> None:
    assert callable(cromulent)
    source = tmp_path / "work.wdl"
    source.write_text(_SOURCE)
    first = cromulent("run", "work.wdl", "samples=3", "--backend", "process", "--dir", "runs")
    assert first.returncode == 4 and "cromulent why last" in first.stderr
    assert "cromulent rerun last" in cromulent("why").stdout
    source.write_text(_SOURCE.replace("-lt 2", "-lt 9"))
    again = cromulent("rerun", "last", "--runtime", "align.memory=300 MB", "--no-cache")
    assert again.returncode == 0, again.stderr
    result = json.loads(again.stdout)
    assert result["outputs"] == {"work.o": [0, 1, 2]} and Path(result["dir"]).parent == tmp_path / "runs"
    journal = Path(result["dir"], "journal.jsonl").read_text()
    assert journal.count('"backend":"process"') == 4 and journal.count('"memory":300000000') == 3
    refused = cromulent("rerun", "last", "--detach")
    assert refused.returncode == 2 and "--detach is about runs in the cloud" in refused.stderr
    fewer = cromulent("rerun", "last", "samples=1")
    assert json.loads(fewer.stdout)["outputs"] == {"work.o": [0]}


@pytest.mark.parametrize("override", ["memory=1 GB", "align.memory", "align"])
def test_an_override_that_is_none_is_refused(tmp_path: Path, cromulent: object, override: str) -> None:
    assert callable(cromulent)
    (tmp_path / "work.wdl").write_text(_SOURCE)
    cromulent("run", "work.wdl", "samples=0", "--backend", "process", "--dir", "runs")
    refused = cromulent("rerun", "last", "--runtime", override)
    assert refused.returncode == 2 and "write it like --runtime" in refused.stderr
