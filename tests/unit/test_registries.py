"""Registries asked for digests: the protocol, both ways of logging in, and that nobody waits for one that is silent."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from cromulent_wdl.aws.access import Access
from cromulent_wdl.backends.fargate.images import Images, choose
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.config import Settings
from cromulent_wdl.engine.registries import Manifest, Registry, parse_reference
from cromulent_wdl.errors import EngineUnavailable, ImageNotFound, ImagePullFailed
from tests.fakes.process_tasks import process_task
from tests.fakes.registries import Scripted, digest_of, serving

INDEX = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.index.v1+json",
    "manifests": [
        {"digest": "sha256:1", "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": "sha256:2", "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": "sha256:3", "platform": {"os": "windows", "architecture": "s390x"}},
    ],
}


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag"),
    [
        ("ubuntu:22.04", "docker.io", "library/ubuntu", "22.04"),
        ("ubuntu", "docker.io", "library/ubuntu", "latest"),
        ("acme/tool:1", "docker.io", "acme/tool", "1"),
        ("quay.io/biocontainers/bwa:0.7.17--h5bf99c6_8", "quay.io", "biocontainers/bwa", "0.7.17--h5bf99c6_8"),
        ("localhost/tool", "localhost", "tool", "latest"),
        ("host:5000/a__b/c-d.e", "host:5000", "a__b/c-d.e", "latest"),
        ("[::1]:5000/a:x", "[::1]:5000", "a", "x"),
        ("127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000", "a/b/c", "x"),
        ("1234.dkr.ecr.us-east-1.amazonaws.com/tool:2", "1234.dkr.ecr.us-east-1.amazonaws.com", "tool", "2"),
    ],
)
def test_a_reference_is_taken_apart_as_docker_does(text: str, host: str, repository: str, tag: str) -> None:
    found = parse_reference(text)
    assert (found.host, found.repository, found.tag, found.digest) == (host, repository, tag, "")
    pinned = parse_reference(f"{text}@sha256:{'a' * 64}")
    assert pinned.digest == f"sha256:{'a' * 64}"
    assert pinned.at("sha256:1") == f"{pinned.name}@sha256:1"


@pytest.mark.parametrize(
    "text", ["ubuntu@sha256:short", "", "*", "Ubuntu:22.04", "a b", "ubuntu:", "quay.io/", "a//b", "~{image}", "x:é"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ImageNotFound, match="cannot be the name"):
        parse_reference(text)


@pytest.fixture
def server() -> Iterator[Scripted]:
    with serving() as scripted:
        yield scripted


def ask(server: Scripted, name: str = "tool:1", login: Any = lambda _: None) -> Manifest:
    reference = parse_reference(f"{server.host}/{name}")
    registry = Registry(reference.host, login)
    try:
        return registry.manifest(reference)
    finally:
        registry.close()


def test_an_index_tells_for_which_machines_the_image_was_built(server: Scripted) -> None:
    server.put("/v2/tool/manifests/1", INDEX)
    assert ask(server) == Manifest(digest_of(INDEX), frozenset(("amd64", "arm64")))


def test_a_manifest_tells_it_in_its_configuration(server: Scripted) -> None:
    manifest = {"schemaVersion": 2, "config": {"digest": "sha256:c"}, "layers": []}
    server.put("/v2/tool/manifests/1", manifest)
    server.put("/v2/tool/blobs/sha256:c", {"architecture": "arm64", "os": "linux"})
    assert ask(server) == Manifest(digest_of(manifest), frozenset(("arm64",)))


def test_a_bearer_token_is_fetched_where_one_is_wanted(server: Scripted) -> None:
    server.put("/v2/tool/manifests/1", INDEX, wants="Bearer secret")
    server.put("/token", {"token": "secret"})
    assert ask(server).digest == digest_of(INDEX)
    [token] = [path for path in server.asked if path.startswith("/token")]
    assert "scope=repository%3Atool%3Apull" in token and "service=tests" in token


def test_row_44_a_name_and_a_password_are_given_where_they_are_wanted(server: Scripted) -> None:
    server.put("/v2/tool/manifests/1", INDEX, wants="Basic QVdTOnBhc3M=")
    assert ask(server, login=lambda _: ("AWS", "pass")).digest == digest_of(INDEX)
    with pytest.raises(ImagePullFailed):
        ask(server)


def test_what_is_not_there_is_told_from_what_is_not_told(server: Scripted) -> None:
    with pytest.raises(ImageNotFound, match=re.escape(f"{server.host} has no image tool:1")):
        ask(server)
    server.put("/v2/tool/manifests/1", {}, status=503)
    with pytest.raises(ImagePullFailed):
        ask(server)
    with pytest.raises(EngineUnavailable):
        Registry("127.0.0.1:9", lambda _: None).manifest(parse_reference("127.0.0.1:9/tool"))


def images(**settings: Any) -> Images:
    return Images(Access(region="us-east-1"), Settings(**settings))


def test_of_several_images_what_cannot_be_one_is_passed_over_though_no_registry_is_asked(tmp_path: Any) -> None:
    task = process_task(tmp_path / "c", "true", images=("*", "ubuntu:20.04"))
    assert images(image_digests=False).chosen(task).name == "ubuntu:20.04"
    with pytest.raises(ImageNotFound, match=re.escape("'*' cannot be the name of an image")):
        images(image_digests=False).chosen(process_task(tmp_path / "d", "true", images=("*",)))


def test_row_44_a_registry_that_says_nothing_is_waited_for_as_long_as_the_setting_says() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as mute:
        began = SYSTEM.monotonic()
        assert images(registry_wait=0.1).digest(f"127.0.0.1:{mute.getsockname()[1]}/tool:1") is None
        assert SYSTEM.monotonic() - began < Settings().registry_wait


def test_row_42_each_name_is_looked_up_once_and_pinned(server: Scripted, tmp_path: Any) -> None:
    server.put("/v2/tool/manifests/1", INDEX)
    name = f"{server.host}/tool:1"
    task, ours = process_task(tmp_path / "c", "true", images=(name,)), images(registries=(f"{server.host}=arn:s",))
    for _ in range(3):
        blueprint = ours.blueprint(ours.chosen(task), task, "fsap-1")
    assert blueprint.image == f"{server.host}/tool@{digest_of(INDEX)}"
    assert (blueprint.architecture, blueprint.registry_secret) == ("amd64", "arn:s")
    assert server.asked == ["/v2/tool/manifests/1"]
    assert ours.digest(name) == digest_of(INDEX)


def test_why_nothing_answers_is_said_in_a_few_words() -> None:
    registry = Registry("127.0.0.1:9", lambda host: None)
    with pytest.raises(
        EngineUnavailable, match=r"^registry 127.0.0.1:9 does not answer: \[Errno \d+\] Connection refused$"
    ):
        registry.manifest(parse_reference("127.0.0.1:9/tool:1"))
    registry.close()


def test_row_44_nobody_waits_for_a_registry_that_is_silent(tmp_path: Any) -> None:
    ours = images()
    for number in range(3):
        task = process_task(tmp_path / f"c{number}", "true", images=(f"127.0.0.1:9/tool:{number}",))
        blueprint = ours.blueprint(ours.chosen(task), task, "fsap-1")
        assert blueprint.image == f"127.0.0.1:9/tool:{number}"
    assert ours.digest("127.0.0.1:9/tool:1") is None


def test_of_several_images_the_first_that_there_is(server: Scripted, tmp_path: Any) -> None:
    server.put("/v2/second/manifests/1", INDEX)
    names = (f"{server.host}/first:1", f"{server.host}/second:1")
    task = process_task(tmp_path / "c", "true", images=names)
    assert images().chosen(task).name == names[1]
    with pytest.raises(ImageNotFound, match="first:1"):
        images().chosen(process_task(tmp_path / "d", "true", images=names[:1]))


def test_row_46_the_machine_is_the_one_that_the_image_was_built_for() -> None:
    both, arm = Manifest("d", frozenset(("amd64", "arm64"))), Manifest("d", frozenset(("arm64",)))
    assert choose("i", both, "").architecture == "amd64"
    assert choose("i", both, "arm64").architecture == "arm64"
    assert choose("i", arm, "").architecture == "arm64"
    assert choose("i", Manifest("d", frozenset(("amd64",))), "arm64").architecture == "amd64"
    assert choose("i", None, "arm64").architecture == "arm64"
    assert choose("i:1", None, "").digest == ""
    assert choose(f"i@sha256:{'5' * 64}", None, "").digest == f"sha256:{'5' * 64}", "its name says it"
    with pytest.raises(ImageNotFound, match="built for ppc64le"):
        choose("i", Manifest("d", frozenset(("ppc64le",))), "")
