"""What the call cache makes of where a task ran: in which image, or with which machine's programs."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cromulent_wdl.plugin.cache import set_image_resolver
from tests.fakes.cached_calls import CachedCalls, file, said, why


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> CachedCalls:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    set_image_resolver(None)
    return CachedCalls(tmp_path, caplog)


class TestWithoutContainers:
    @pytest.mark.parametrize("variable", ["PATH", "TZ", "LC_ALL", "CONDA_PREFIX"])
    def test_what_chooses_the_programs_counts(
        self,
        calls: CachedCalls,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        variable: str,
    ) -> None:
        reads = file(calls, "a.fq")
        calls.call(reads=reads)
        monkeypatch.setenv(variable, "/opt/conda/bin")
        assert calls.call(reads=reads) == "made"
        assert why(caplog) == f"variable {variable} has changed"

    def test_the_machine_counts(
        self, calls: CachedCalls, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reads = file(calls, "a.fq")
        calls.call(reads=reads)
        monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
        assert calls.call(reads=reads) == "made"
        assert why(caplog) == "it was made with the programs of another machine"

    def test_a_result_is_of_no_use_to_containers(self, calls: CachedCalls, caplog: pytest.LogCaptureFixture) -> None:
        reads = file(calls, "a.fq")
        calls.call(reads=reads)
        set_image_resolver({"debian:12": "sha256:1"}.get)
        calls.image = ("debian:12", "sha256:1")
        assert calls.call(reads=reads) == "made"
        assert why(caplog) == "one was made in a container, the other is not to be"
        set_image_resolver(None)
        calls.image = None
        assert calls.call(reads=reads) == "1"


class TestInContainers:
    IMAGES: dict[str, str]

    @pytest.fixture
    def reads(self, calls: CachedCalls) -> str:
        self.IMAGES = {"debian:12": "sha256:1"}
        set_image_resolver(lambda reference: self.IMAGES.get(reference))
        calls.image = ("debian:12", "sha256:1")
        return file(calls, "a.fq")

    def test_the_same_image_is_a_hit(self, calls: CachedCalls, reads: str) -> None:
        calls.call(reads=reads)
        assert calls.call(reads=reads) == "1"

    def test_path_and_machine_do_not_count(
        self, calls: CachedCalls, reads: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls.call(reads=reads)
        monkeypatch.setenv("PATH", "/opt/conda/bin")
        monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
        assert calls.call(reads=reads) == "1"

    def test_a_moved_tag_is_a_miss(self, calls: CachedCalls, reads: str, caplog: pytest.LogCaptureFixture) -> None:
        calls.call(reads=reads)
        self.IMAGES["debian:12"] = "sha256:2"
        calls.image = ("debian:12", "sha256:2")
        assert calls.call(reads=reads) == "made"
        assert why(caplog) == "its image debian:12 has changed"
        assert calls.call(reads=reads) == "2"

    def test_an_image_that_is_not_here_is_a_miss(
        self, calls: CachedCalls, reads: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        calls.call(reads=reads)
        self.IMAGES.clear()
        assert calls.call(reads=reads) == "made"
        assert why(caplog) == "the digest of its image debian:12 is not known here"

    def test_a_pinned_image_speaks_for_itself(self, calls: CachedCalls, reads: str) -> None:
        self.IMAGES.clear()
        calls.image = ("debian@sha256:abc", "sha256:1")
        calls.call(reads=reads)
        assert calls.call(reads=reads) == "1"

    @pytest.mark.parametrize("image", [None, ("debian:12", "")])
    def test_a_result_of_an_unknown_image_is_not_kept(
        self, calls: CachedCalls, reads: str, caplog: pytest.LogCaptureFixture, image: tuple[str, str] | None
    ) -> None:
        calls.image = image
        calls.call(reads=reads)
        assert said(caplog)[-1][0] == "call not cached"
        calls.image = ("debian:12", "sha256:1")
        assert calls.call(reads=reads) == "made"

    def test_an_image_is_looked_up_once_a_run(self, calls: CachedCalls, reads: str) -> None:
        asked: list[str] = []

        def resolve(reference: str) -> str | None:
            asked.append(reference)
            return "sha256:1"

        set_image_resolver(resolve)
        words = ["a", "b", "c"]
        for word in words:
            calls.call(reads=reads, word=word)
        with calls.cache() as cache:
            assert [calls.call_in(cache, reads=reads, word=word) for word in words] == ["1", "2", "3"]
        assert asked == ["debian:12"]
