"""Files of workflows on Fargate: inputs from everywhere, outputs of every kind, what is said, and what is secret."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .cloud import until
from .fargate import Lab

LINKS = """
version 1.2
workflow links {
  input { File there  File host  Directory tree  Directory host_tree }
  call make { input: there, host, tree, host_tree }
  call use { input: files = flatten([[make.linked, make.copied, make.same, make.child], make.globbed]),
                    trees = [make.made, make.same_tree, make.linked_tree] }
  output {
    File linked = make.linked
    File same = make.same
    File copied = make.copied
    Directory made = make.made
    Directory linked_tree = make.linked_tree
    File? nothing = make.nothing
    Array[String] read = use.read
  }
}
task make {
  input { File there  File host  Directory tree  Directory host_tree }
  command <<<
    set -e
    ln -s ~{there} linked.bam
    cp -P "~{host}" copied.txt
    mkdir made
    cp ~{tree}/a made/
    ln -s a made/b
    ln -s "~{host_tree}" linked_tree
    cat "~{host_tree}/sub/b"
  >>>
  output {
    File linked = "linked.bam"
    File copied = "copied.txt"
    File same = there
    File child = "~{tree}/a"
    Array[File] globbed = glob("*.bam")
    Directory made = "made"
    Directory same_tree = tree
    Directory linked_tree = "linked_tree"
    File? nothing = "nothing"
  }
}
task use {
  input { Array[File] files  Array[Directory] trees }
  command <<<
    for file in ~{sep(" ", files)}; do echo "$(basename "$file"): $(cat "$file")"; done
    for tree in ~{sep(" ", trees)}; do echo "$(basename "$tree"): $(cd "$tree"; echo *)"; done
  >>>
  output { Array[String] read = read_lines(stdout()) }
}
"""


def test_every_way_in_which_an_output_may_be_an_input(lab: Lab) -> None:
    (lab.mount / "data/tree").mkdir(parents=True)
    (lab.home / "host tree/sub").mkdir(parents=True)
    written = {
        lab.mount / "links.wdl": LINKS,
        lab.mount / "data/there.bam": "there",
        lab.mount / "data/tree/a": "a of the tree",
        lab.home / "it's the host's.txt": "of the host",
        lab.home / "host tree/sub/b": "b",
    }
    for path, text in written.items():
        path.write_text(text)
    inputs = {
        "there": str(lab.mount / "data/there.bam"),
        "host": str(lab.home / "it's the host's.txt"),
        "tree": str(lab.mount / "data/tree"),
        "host_tree": str(lab.home / "host tree"),
    }
    outputs = lab.run("run", "links.wdl", "-i", json.dumps(inputs), "--dir", str(lab.mount)).outputs
    assert outputs["links.read"] == [
        "linked.bam: there",
        "copied.txt: of the host",
        "there.bam: there",
        "a: a of the tree",
        "linked.bam: there",
        "made: a b",
        "tree: a",
        "linked_tree: sub",
    ]
    assert Path(outputs["links.linked"]).name == "linked.bam"
    assert Path(outputs["links.linked"]).samefile(lab.mount / "data/there.bam")
    assert Path(outputs["links.same"]).samefile(lab.mount / "data/there.bam")
    assert Path(outputs["links.copied"]).read_text() == "of the host"
    assert (Path(outputs["links.made"]) / "b").read_text() == "a of the tree"
    assert (Path(outputs["links.linked_tree"]) / "sub/b").read_text() == "b"
    assert outputs["links.nothing"] is None


SECRET = "a-secret-of-17-ch"
SAYS = """
version 1.1
task says {
  input { File? none }
  command <<<
    echo "the token has ${#TOKEN} letters" >&2
    echo "first" >&2; while [ ! -e ../go ]; do sleep 0.05; done; echo "last, and without an end" >&2; printf last >&2
  >>>
  output { File said = stderr() }
}
"""


def test_what_a_task_says_is_followed_while_it_says_it(lab: Lab) -> None:
    (lab.mount / "says.wdl").write_text(SAYS)
    head = lab.start(
        "run", "says.wdl", "--dir", "run/.", "--env", f"TOKEN={SECRET}", "--verbose", "--progress", "plain"
    )
    with killing(head):
        log = lab.mount / "run/task.log"
        until(lambda: log.exists() and "first" in log.read_text())
        said = lab.run("logs", str(lab.mount / "run"), "says")
        assert said.stdout.splitlines() == ["the token has 17 letters", "first"]
        (lab.mount / "run/go").touch()
        stdout, stderr = head.communicate(timeout=100)
    assert head.returncode == 0, stderr
    whole = Path(json.loads(stdout)["outputs"]["says.said"]).read_text()
    assert whole == "the token has 17 letters\nfirst\nlast, and without an end\nlast"
    assert "last, and without an end" in log.read_text()

    kept = [Path(top, name) for top, _, names in os.walk(lab.mount / "run") for name in names]
    assert len(kept) > 8 and not [path for path in kept if SECRET in path.read_text(errors="replace")]
    definition = lab.cloud.client("ecs").describe_task_definition(taskDefinition=lab.tasks()[0]["taskDefinitionArn"])
    assert SECRET not in json.dumps([lab.tasks(), definition], default=str)


@contextmanager
def killing(head: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a head that a failing test leaves."""
    try:
        yield
    finally:
        head.kill()


def test_a_task_can_write_to_its_run_and_to_nothing_else(lab: Lab) -> None:
    (lab.mount / "other").mkdir()
    (lab.mount / "other/file").write_text("another run's")
    (lab.mount / "writes.wdl").write_text(
        """
version 1.1
task writes {
  input { File other }
  command <<<
    real=$(readlink -f ~{other})
    (echo x >> "$real") 2> /dev/null && echo wrote the input
    (touch "$(dirname "$real")/new") 2> /dev/null && echo wrote beside it
    (touch ~{other}.here) && echo wrote here
    ls -d """
        + str(lab.mount)
        + """/other > /dev/null 2>&1 && echo saw another run
    exit 0
  >>>
  output { Array[String] done = read_lines(stdout()) }
}
"""
    )
    outputs = lab.run("run", "writes.wdl", "other=other/file", "--dir", str(lab.mount)).outputs
    assert outputs["writes.done"] == ["wrote here"]
    assert [path.name for path in (lab.mount / "other").iterdir()] == ["file"]
    assert (lab.mount / "other/file").read_text() == "another run's"


RESULTLESS = """
version 1.1
task resultless {
  input { File there }
  command <<< ln -s ~{there} linked.bam; for each in ../.cromulent/attempts/*; do mkdir $each/result; done >>>
  output { File linked = "linked.bam" }
}
"""


def test_a_task_whose_result_cannot_be_seen_has_its_files_all_the_same(lab: Lab) -> None:
    (lab.mount / "there.bam").write_text("there")
    (lab.mount / "resultless.wdl").write_text(RESULTLESS)
    outputs = lab.run("run", "resultless.wdl", "there=there.bam", "--dir", str(lab.mount)).outputs
    assert Path(outputs["resultless.linked"]).read_text() == "there"
