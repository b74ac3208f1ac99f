"""The download plugin as miniwdl uses it: where files go, what they are called, and when it keeps out."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from WDL._util import LoggingFileHandler, TerminationSignalFlag
from WDL.runtime import download
from WDL.runtime.cache import CallCache
from WDL.runtime.config import Loader
from WDL.runtime.error import DownloadFailed, Terminated

from cromulent_wdl.errors import FetchFailed
from cromulent_wdl.plugin import download_s3
from cromulent_wdl.storage.web import file_name
from tests.fakes.http_server import Answer, Server, serving

LOGGER = logging.getLogger("wdl.w:test")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(lambda path, headers: Answer(404) if "absent" in path else Answer(body=b"reads")) as server:
        yield server


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """The directory of a run under way: its log is there."""
    (tmp_path / "run").mkdir()
    with LoggingFileHandler(LOGGER, str(tmp_path / "run" / "workflow.log")):
        yield tmp_path / "run"


def configuration(backend: str = "cromulent", **download_cache: object) -> Loader:
    cfg = Loader(LOGGER, filenames=[])
    cfg.override({"scheduler": {"container_backend": backend}, "download_cache": download_cache})
    return cfg


def test_a_file_goes_into_the_run_under_its_own_name(run: Path, server: Server) -> None:
    uri = f"{server.url}/data/a%20b.fq?token=secret#part"
    file = Path(download.run(configuration(), LOGGER, uri, run_dir=str(run / "download" / "0" / ".")))
    assert file.read_bytes() == b"reads"
    assert file.name == "a b.fq"
    assert file.parent.parent == run / "download"
    assert server.paths == ["/data/a%20b.fq?token=secret"]


def test_two_files_of_one_name_do_not_meet(run: Path, server: Server) -> None:
    cfg = configuration()
    files = {download.run(cfg, LOGGER, f"{server.url}/{where}/a") for where in ("one", "other", "one")}
    assert len(files) == 3


def test_in_no_run_it_is_the_current_directory(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(download.run(configuration(), LOGGER, f"{server.url}/a")).is_relative_to(tmp_path / "download")


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("http://host/a/b.txt", "b.txt"),
        ("https://host/a/b.txt?x=/y/z", "b.txt"),
        ("http://host/storage/o/folder%2Fb.txt?alt=media", "b.txt"),
        ("http://host/%C3%A4.txt", "ä.txt"),
        ("http://host/a/b/", "b"),
        ("http://host", "download"),
        ("http://host/a/..", "download"),
        ("http://host/%2e%2e", "download"),
        ("http://host/a%00b", "ab"),
        ("http://host/" + "x" * 300 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_the_name_is_from_the_path(uri: str, name: str) -> None:
    assert file_name(uri) == name


def test_a_refusal_is_miniwdls_failure_with_our_sentence_behind_it(
    run: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    uri = f"{server.url}/absent"
    with pytest.raises(DownloadFailed) as failed:
        download.run(configuration(), LOGGER, uri)
    assert isinstance(failed.value.__cause__, FetchFailed)
    assert f"{uri} answered 404 Not Found" in caplog.text
    assert not [path for path in (run / "download").rglob("*") if path.is_file()]


def test_a_run_that_is_told_to_stop_is_not_held_up(run: Path, server: Server) -> None:
    with TerminationSignalFlag(LOGGER) as terminating:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert terminating()
        with pytest.raises(DownloadFailed) as failed:
            download.run(configuration(), LOGGER, f"{server.url}/a")
    assert isinstance(failed.value.__cause__, Terminated)
    assert server.paths == []


def test_what_the_download_cache_wants_goes_there(tmp_path: Path, run: Path, server: Server) -> None:
    uri = f"{server.url}/data/a.fq"
    cfg = configuration(dir=str(tmp_path / "cache"), put=True, get=True)
    for expected in (False, True):
        with CallCache(cfg, LOGGER) as cache:
            cached, file = download.run_cached(cfg, LOGGER, cache, uri, str(run / "download" / "0" / "."))
        assert cached is expected
        assert Path(file).is_relative_to(tmp_path / "cache" / "files")
        assert Path(file).read_bytes() == b"reads"
    assert len(server.paths) == 1
    assert not (run / "download").exists()
    assert not (tmp_path / "cache" / "ops").exists()


def test_a_cached_file_that_is_not_wanted_stays_beside_the_new_one(tmp_path: Path, run: Path, server: Server) -> None:
    uri, files = f"{server.url}/data/a.fq", []
    for get in (True, False):
        cfg = configuration(dir=str(tmp_path / "cache"), put=True, get=get)
        with CallCache(cfg, LOGGER) as cache:
            files.append(Path(download.run_cached(cfg, LOGGER, cache, uri, str(run / "download" / "0" / "."))[1]))
    assert files[0].is_relative_to(tmp_path / "cache")
    assert files[1].is_relative_to(run)
    assert files[0].exists()


def test_under_another_backend_miniwdls_own_downloader_is_asked() -> None:
    uri = "http://127.0.0.1:9/a"
    cfg = configuration("docker_swarm")
    ours = download._downloader(cfg, uri)
    assert ours is not None
    asked = ours(cfg, LOGGER, uri=uri)
    theirs = download.aria2c_downloader(cfg, LOGGER, uri=uri)
    assert next(asked) == next(theirs)
    assert asked.send({"outputs": 1}) == theirs.send({"outputs": 1})


def test_other_schemes_and_directories_are_left_to_miniwdl() -> None:
    cfg = configuration()
    assert download._downloader(cfg, "ftp://host/a") is download.aria2c_downloader
    assert download._downloader(cfg, "gs://bucket/a") is download.gsutil_downloader
    assert download._downloader(cfg, "s3://bucket/a") is download_s3.file
    assert download._downloader(cfg, "s3://bucket/a", directory=True) is download_s3.directory
    assert download._downloader(cfg, "https://host/a", directory=True) is None
