"""Files of a run in the cloud under the names that people know: addresses, and the paths that they gave."""

from __future__ import annotations

import json
from pathlib import Path

from cromulent_wdl.cli.head_names import Names
from cromulent_wdl.model import CallCached, CallQueued, Event
from cromulent_wdl.runs.given import Given, keep_given

MOUNT = Path("/mnt/cromulent")


def names() -> Names:
    made = Names(MOUNT, "r.1", "s3://b/runs/r.1/outputs/")
    made.learn(
        {"s3://b/inputs/blake2b/abcdef/a b.txt": MOUNT / "inputs/abc/a b.txt", "s3://lab/d/": MOUNT / "inputs/d1/d"}
    )
    return made


def test_files_go_by_their_addresses() -> None:
    told = {
        "file": "/mnt/cromulent/inputs/abc/a b.txt",
        "within a directory": "/mnt/cromulent/inputs/d1/d/x/y",
        "of nobody's knowledge": "/mnt/cromulent/inputs/fff/z",
        "output": "/mnt/cromulent/runs/r.1/out/o/o.txt",
        "of a call": "/mnt/cromulent/runs/r.1/call-c/out/o",
        "of another run": "/mnt/cromulent/runs/r01/out/o/o.txt",
        "source": "/mnt/cromulent/miniwdl_run_zip_x_1/w.wdl",
    }
    assert json.loads(names().known(json.dumps(told))) == {
        "file": "s3://b/inputs/blake2b/abcdef/a b.txt",
        "within a directory": "s3://lab/d/x/y",
        "of nobody's knowledge": "/mnt/cromulent/inputs/fff/z",
        "output": "s3://b/runs/r.1/outputs/o/o.txt",
        "of a call": "r.1/call-c/out/o",
        "of another run": "r01/out/o/o.txt",
        "source": "w.wdl",
    }


def test_events_are_told_so() -> None:
    heard: list[Event] = []
    tell = names().telling(heard.append)
    other = CallQueued(1.0, "c", "c")
    tell(other)
    tell(CallCached(2.0, "c", "c", "/mnt/cromulent/runs/r01/call-c"))
    assert heard == [other, CallCached(2.0, "c", "c", "r01/call-c")]


def test_who_gave_a_file_sees_the_path_that_was_given(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs.json"
    text = json.dumps({"f": "s3://b/inputs/blake2b/ab/ä.txt", "d": "s3://b/inputs/blake2b/cd/d/x", "o": "s3://b/o"})
    inputs.write_text(text)
    Given(tmp_path).name_in(inputs)
    assert inputs.read_text() == text, "nothing was given here"
    keep_given(tmp_path, {"s3://b/inputs/blake2b/ab/ä.txt": "/home/ä.txt", "s3://b/inputs/blake2b/cd/d": '/home/"d"'})
    Given(tmp_path).name_in(inputs)
    assert json.loads(inputs.read_text()) == {"f": "/home/ä.txt", "d": '/home/"d"/x', "o": "s3://b/o"}
