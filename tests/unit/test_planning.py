"""What a plan says of each call, before anything runs."""

from __future__ import annotations

import base64
import socket
from pathlib import Path
from typing import Any

import pytest
from WDL import CLI, Env, Value

from cromulent_wdl.cli import outlook
from cromulent_wdl.cli.document import read_document
from cromulent_wdl.cli.image_lookup import looking_up
from cromulent_wdl.cli.planning import Row, World, disk_warning, looked_at, plan
from cromulent_wdl.config import Settings
from cromulent_wdl.engine.registries import Manifest
from cromulent_wdl.errors import EngineUnavailable, ImageDenied, ImageNotFound
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.units import GIB
from tests.fakes.registries import serving

WDL = """version 1.1
task small { command <<< >>> output { Int n = 1 } }
task sized {
  input { Int cores = 2  File? f }
  Int gigabytes = cores * 4
  command <<< >>>
  runtime { cpu: cores  memory: "~{gigabytes} GiB"  docker: "lab/sized:1" }
}
task data { input { File f } command <<< >>> runtime { memory: ceil(size(f))  docker: "lab/sized:1" } }
task huge { command <<< >>> runtime { cpu: 64  docker: "lab/sized:1" } }
task lost { command <<< >>> runtime { docker: "lab/lost:1" } }
task gpu { command <<< >>> runtime { gpu: true  docker: "lab/sized:1" } }
task old { command <<< >>> runtime { docker: "lab/arm:1"  preemptible: 0 } }
workflow inner { call sized { input: cores = 4 } }
workflow w {
  input { File f }
  call small
  scatter (i in range(3)) { call sized }
  if (small.n > 1) { call sized as other { input: cores = small.n } }
  call data { input: f = f }
}
"""


def nobody(host: str) -> None:
    """Log in to no registry."""


def look(name: str) -> Manifest:
    if name == "lab/lost:1":
        raise ImageNotFound(f"there is no image {name}")
    if name == "lab/arm:1":
        return Manifest("sha256:1", frozenset({"s390x"}))
    if name.startswith("lab/"):
        return Manifest("sha256:1", frozenset({"amd64"}), 8 * 10**9)
    raise EngineUnavailable("no registry here")


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, Row]:
    (tmp_path / "w.wdl").write_text(WDL.replace("workflow inner { call sized { input: cores = 4 } }\n", ""))
    document = read_document(str(tmp_path / "w.wdl"))
    assert document.workflow is not None
    world = World(Settings(), shipped().rates("us-east-1"), look, "ubuntu:22.04")
    found = {row.call: row for row in plan(document.workflow, world)}
    for task in ("huge", "lost", "gpu", "old"):
        found |= {row.call: row for row in plan(CLI.runner_exe(document, task), world)}
    return found


def test_what_is_constant_is_known(rows: dict[str, Row]) -> None:
    assert (rows["sized"].size, rows["sized"].found, rows["sized"].problem) == ("2 vCPU 8 GiB", True, "")
    assert rows["sized"].dollars == pytest.approx(0.045, rel=0.5)
    small = rows["small"]
    assert (small.size, small.image, small.found) == ("1 vCPU 2 GiB", "ubuntu:22.04", None)


def test_what_depends_on_data_is_not(rows: dict[str, Row]) -> None:
    assert [rows[call].size for call in ("other", "data")] == ["?", "?"]
    assert [rows[call].dollars for call in ("other", "data")] == [None, None]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("huge", "no size of Fargate holds 64 cpu"),
        ("lost", "there is no image lab/lost:1"),
        ("gpu", "it asks for a GPU"),
        ("old", "was built for s390x"),
    ],
)
def test_what_cannot_run_is_a_problem(rows: dict[str, Row], call: str, problem: str) -> None:
    assert problem in rows[call].problem


def test_what_inputs_ask_for_instead_counts(tmp_path: Path) -> None:
    (tmp_path / "w.wdl").write_text(WDL.replace("workflow inner { call sized { input: cores = 4 } }\n", ""))
    workflow = read_document(str(tmp_path / "w.wdl")).workflow
    assert workflow is not None
    inputs: Env.Bindings[Value.Base] = Env.Bindings()
    inputs = inputs.bind("sized.runtime.memory", Value.String("15 GiB"))
    inputs = inputs.bind("small.runtime.cpu", Value.Int(64))
    world = World(Settings(), shipped().rates("us-east-1"), look, "ubuntu:22.04")
    rows = {row.call: row for row in plan(workflow, world, inputs)}
    assert (rows["sized"].size, rows["other"].size) == ("2 vCPU 15 GiB", "?")
    assert "no size of Fargate holds 64 cpu" in rows["small"].problem


def test_row_29_an_image_that_may_not_fit_the_disk_is_told(rows: dict[str, Row]) -> None:
    assert (rows["sized"].architecture, rows["sized"].image_size) == ("amd64", 8 * 10**9)
    assert rows["sized"].warning == (
        "its image takes about 24 GB pulled and unpacked, and its disk has 20 GiB; ask for disks: 'local-disk 23 SSD'"
    )
    assert rows["small"].warning == ""


@pytest.mark.parametrize(
    ("image", "asked", "disk", "words"),
    [
        (0, 0, 20, ""),
        (20 * GIB // 3, 0, 20, ""),
        (20 * GIB // 3 + 1, 0, 20, "local-disk 21 SSD"),
        (1 * GIB, 50 * GIB, 50, "local-disk 53 SSD"),
        (1 * GIB, 199 * GIB, 199, "more than Fargate has"),
    ],
)
def test_a_disk_holds_an_image_pulled_and_unpacked_beside_what_is_asked(
    image: int, asked: int, disk: int, words: str
) -> None:
    warning = disk_warning(image, asked, disk)
    assert words in warning and bool(warning) == bool(words)


def test_row_43_the_outlook_tells_images_and_what_an_hour_costs_and_no_total(rows: dict[str, Row]) -> None:
    shown = [rows["small"], rows["sized"], rows["data"]]
    images = "ubuntu:22.04: its registry does not answer, lab/sized:1 8 GB amd64"
    assert outlook.checked(shown) == f"3 calls, 2 images ({images})"
    assert outlook.uncached(shown).startswith("no help for ubuntu:22.04, unless its registry answers the head")
    assert outlook.uncached([rows["sized"]]) == ""
    small, sized, data = outlook.costs(shown).split(", ")
    assert small.endswith(" an hour (Spot 1 vCPU 2 GiB)") and small.startswith("small $0.0")
    assert sized.endswith(" an hour (Spot 2 vCPU 8 GiB)") and data == "data ? (depends on data)"
    assert outlook.costs([rows["small"]] * 7).endswith(", and 3 more: cromulent plan shows all")


def test_a_registry_that_does_not_answer_is_waited_for_once() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as mute:  # takes connections, and says nothing
        host = f"127.0.0.1:{mute.getsockname()[1]}"
        look = looking_up(nobody, patience=0.2)
        said = []
        for name in (f"{host}/tool:0", f"{host}/tool:1", f"{host}/tool:2", "127.0.0.1:9/tool:1"):
            with pytest.raises(EngineUnavailable) as unknown:
                look(name)
            said.append(str(unknown.value))
    unasked = [f"{name} does not answer" for name in (host, host, "127.0.0.1:9")]
    assert said == [f"{host} is silent", *unasked], "who has been waited for in vain is asked no more, nor anybody else"


def planned(tmp_path: Path, image: str, **settings: Any) -> Row:
    (tmp_path / "one.wdl").write_text(f'version 1.1\ntask one {{ command <<< >>> runtime {{ docker: "{image}" }} }}\n')
    world = World(Settings(**settings), shipped().rates("us-east-1"), looking_up(nobody, patience=5), "ubuntu:22.04")
    (row,) = plan(CLI.runner_exe(read_document(str(tmp_path / "one.wdl")), "one"), world)
    return row


@pytest.mark.parametrize("wants", ["Basic none", "Bearer none"])
def test_an_image_that_is_shown_to_nobody_without_a_log_in_is_a_problem_unless_fargate_has_one(
    tmp_path: Path, wants: str
) -> None:
    with serving() as server:
        server.put("/token", {"token": "anonymous"})
        server.put("/v2/tool/manifests/1", {}, wants=wants)
        image = f"{server.host}/tool:1"
        row = planned(tmp_path, image)
        assert row.found is False and f"image {image} is private, or there is none" in row.problem
        assert f"registries = {server.host}=ARN" in row.problem
        opened = planned(tmp_path, image, registries=(f"{server.host}=arn:aws:secretsmanager:…",))
        assert (opened.found, opened.problem) == (None, "")
        assert opened.silence == "wants the log-in that Fargate finds in your secret"
        missing = planned(tmp_path, f"{server.host}/none:1")
        assert missing.found is False and f"{server.host} has no image none:1" in missing.problem


def test_an_image_is_looked_at_with_the_log_in_that_the_caller_has() -> None:
    with serving() as server:
        wanted = f"Basic {base64.b64encode(b'AWS:password').decode()}"
        server.put("/v2/tool/manifests/1", {"layers": [{"size": 12}]}, wants=wanted)
        with pytest.raises(ImageDenied):
            looking_up(nobody)(f"{server.host}/tool:1")
        assert looking_up(lambda host: ("AWS", "password"))(f"{server.host}/tool:1").size == 12
        with pytest.raises(ImageNotFound):
            looking_up(lambda host: ("AWS", "password"))(f"{server.host}/none:1")


def test_a_registry_that_is_broken_says_nothing_and_holds_up_nothing(tmp_path: Path) -> None:
    with serving() as server:
        server.put("/v2/tool/manifests/1", {}, status=500)
        row = planned(tmp_path, f"{server.host}/tool:1")
    assert (row.found, row.problem, row.silence) == (None, "", "does not say")
    assert outlook.checked([row]) == f"1 call, 1 image ({server.host}/tool:1: its registry does not say)"


def test_an_image_of_ecr_is_opened_by_fargate_itself() -> None:
    def closed(name: str) -> Manifest:
        raise ImageDenied(name)

    world = World(Settings(), shipped().rates("us-east-1"), closed, "ubuntu:22.04")
    row = looked_at("123456789012.dkr.ecr.eu-west-1.amazonaws.com/tool:1", world)
    assert (row.found, row.problem) == (None, "") and "from ECR" in row.silence


def test_the_size_is_that_of_the_machine_that_it_will_run_on() -> None:
    kinds = [
        {"digest": f"sha256:{kind}", "platform": {"os": "linux", "architecture": kind}} for kind in ("arm64", "amd64")
    ]
    with serving() as server:
        server.put("/v2/tool/manifests/1", {"manifests": kinds})
        server.put("/v2/tool/manifests/sha256:amd64", {"layers": [{"size": 5}, {"size": 7}]})
        server.put("/v2/tool/manifests/sha256:arm64", {"layers": [{"size": 1}]})
        found = looking_up(nobody)(f"{server.host}/tool:1")
        assert found.size == 12
        server.put("/v2/plain/manifests/1", {"config": {"digest": "sha256:c"}, "layers": [{"size": 3}]})
        server.put("/v2/plain/blobs/sha256:c", {"architecture": "amd64"})
        plain = looking_up(nobody)(f"{server.host}/plain:1")
        assert plain.size == 3
