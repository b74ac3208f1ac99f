"""What the call cache keeps, and what takes a kept result out of use."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from WDL import values_from_json
from WDL._util import TerminationSignalFlag
from WDL.runtime.cache import CallCacheAddPaths

from cromulent_wdl.plugin.cache import set_image_resolver
from cromulent_wdl.plugin.cache_entry import Entry, Store
from cromulent_wdl.plugin.cache_key import Call, CallKey
from tests.fakes.cached_calls import CachedCalls, file, said, task_of, why


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> CachedCalls:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    set_image_resolver(None)
    return CachedCalls(tmp_path, caplog)


OUTPUTS: dict[str, Callable[[Path], object]] = {
    "work/n.txt has changed": lambda run: (run / "work" / "n.txt").write_text("8\n"),
    "work/d has changed": lambda run: (run / "work" / "d" / "x").write_text("y\n"),
    "out/n.txt has changed": lambda run: (
        (run / "work" / "n.txt").rename(run / "old") and shutil.copy2(run / "old", run / "work" / "n.txt")
    ),
    "out/n.txt is gone": lambda run: (run / "work" / "n.txt").unlink(),
    "work/d is gone": lambda run: shutil.rmtree(run / "work" / "d"),
}


@pytest.mark.parametrize("what", OUTPUTS)
def test_an_output_that_is_not_as_it_was_is_a_miss_and_is_replaced(
    calls: CachedCalls, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    reads = file(calls, "a.fq")
    calls.call(reads=reads)
    run = calls.directory / "runs" / "1"
    OUTPUTS[what](run)
    assert calls.call(reads=reads) == "made"
    assert why(caplog) == f"its output {run}/{what.replace('work/n', 'out/n')}"
    assert calls.call(reads=reads) == "2"


class TestFilesBesideTheSource:
    @pytest.fixture
    def source(self, calls: CachedCalls) -> Path:
        table = Path(file(calls, "wdl/table.tsv", "1"))
        file(calls, "wdl/data/one", "1")
        folder = calls.directory / "wdl"
        calls.add_paths = CallCacheAddPaths([str(table), f"{folder}/data/"], [str(folder / "optional.tsv")])
        return folder

    def test_unchanged_they_allow_a_hit_and_are_known_to_miniwdl(self, calls: CachedCalls, source: Path) -> None:
        reads = file(calls, "a.fq")
        calls.call(reads=reads)
        os.utime(source / "table.tsv")
        with calls.cache() as cache:
            assert calls.call_in(cache, reads=reads) == "1"
            [known] = cache._entry_add_paths
            assert cache.get_add_paths(known).add_paths == calls.add_paths.add_paths
            assert cache.get_add_paths(known).absent_paths == calls.add_paths.absent_paths

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("table.tsv", "{source}/table.tsv has changed"),
            ("data/one", "{source}/data/ has changed"),
            ("optional.tsv", "there was no {source}/optional.tsv then"),
        ],
    )
    def test_one_that_changed_or_appeared_is_a_miss(
        self, calls: CachedCalls, caplog: pytest.LogCaptureFixture, source: Path, name: str, reason: str
    ) -> None:
        reads = file(calls, "a.fq")
        calls.call(reads=reads)
        (source / name).write_text("2")
        assert calls.call(reads=reads) == "made"
        assert why(caplog) == reason.format(source=source)

    def test_one_that_is_gone_is_a_miss(
        self, calls: CachedCalls, caplog: pytest.LogCaptureFixture, source: Path
    ) -> None:
        reads = file(calls, "a.fq")
        calls.call(reads=reads)
        (source / "table.tsv").unlink()
        calls.add_paths = CallCacheAddPaths()
        calls.call(reads=reads)
        assert why(caplog) == f"{source}/table.tsv is gone"


URI = "https://example.org/data/a.fq?token=1"


class TestDownloads:
    def test_a_downloaded_input_counts_by_content_like_any_file(self, calls: CachedCalls) -> None:
        local = file(calls, "runs/dl/a.fq")
        with calls.cache() as cache:
            cache.memo_download(URI, local)
            assert calls.call_in(cache, reads=URI) == "made"
            assert calls.call_in(cache, reads=URI) == "1"
        assert calls.call(reads=file(calls, "mine/a.fq")) == "1"

    def test_an_input_downloaded_by_the_call_itself_is_kept_by_content(
        self, calls: CachedCalls, caplog: pytest.LogCaptureFixture
    ) -> None:
        local = file(calls, "runs/dl/a.fq")
        calls.during = lambda cache: cache.memo_download(URI, local)
        assert calls.call(reads=URI) == "made"
        assert calls.call(reads=URI) == "made"
        assert why(caplog) == f"{URI} is not downloaded yet"
        calls.during = lambda cache: None
        assert calls.call(reads=local) == "2"

    def test_an_input_that_never_came_is_not_kept(self, calls: CachedCalls) -> None:
        assert calls.call(reads=URI) == "made"
        assert not list((calls.directory / "calls").rglob("*.json"))

    def test_a_default_that_was_downloaded_counts_by_content(
        self, calls: CachedCalls, caplog: pytest.LogCaptureFixture
    ) -> None:
        reads = file(calls, "a.fq")
        remote = file(calls, "runs/dl/ref", "one")
        calls.during = lambda cache: cache.memo_download(URI, remote)
        assert calls.call(reads=reads) == "made"
        assert calls.call(reads=reads) == "made"
        assert why(caplog) == f"{URI} is not downloaded yet"
        with calls.cache() as cache:
            cache.memo_download(URI, file(calls, "runs/dl2/ref", "one"))
            assert calls.call_in(cache, reads=reads) == "2"
        with calls.cache() as cache:
            cache.memo_download(URI, file(calls, "runs/dl3/ref", "two"))
            assert calls.call_in(cache, reads=reads) == "made"
            assert why(caplog) == f"{URI} has changed"


def test_inputs_that_change_while_the_task_runs_are_not_kept(
    calls: CachedCalls, caplog: pytest.LogCaptureFixture
) -> None:
    reads = file(calls, "a.fq")
    calls.during = lambda cache: file(calls, "a.fq", "changed in the meantime")
    calls.call(reads=reads)
    assert said(caplog)[-1] == (
        "call not cached",
        {"call": "count", "why": f"{reads} changed while the task ran"},
        "INFO",
    )
    assert calls.call(reads=reads) == "made"


def test_a_workflow_is_not_kept(calls: CachedCalls) -> None:
    reads = file(calls, "a.fq")
    calls.during = lambda cache: file(calls, "runs/1/workflow.log")
    calls.call(reads=reads)
    calls.during = lambda cache: None
    assert calls.call(reads=reads) == "made"


@pytest.mark.parametrize(("switch", "keeps"), [("get", True), ("put", False)])
def test_the_switches_are_honoured(calls: CachedCalls, switch: str, keeps: bool) -> None:
    reads = file(calls, "a.fq")
    calls.options = {"call_cache": {switch: False}}
    assert calls.call(reads=reads) == "made"
    assert calls.call(reads=reads) == "made"
    calls.options = {}
    assert calls.call(reads=reads) == ("2" if keeps else "made")


def test_a_torn_entry_is_a_miss_and_is_replaced(calls: CachedCalls) -> None:
    reads = file(calls, "a.fq")
    calls.call(reads=reads)
    [entry] = [path for path in (calls.directory / "calls").rglob("*.json") if not path.is_symlink()]
    entry.write_bytes(entry.read_bytes()[:100])
    assert calls.call(reads=reads) == "made"
    assert calls.call(reads=reads) == "2"


def test_an_entry_of_other_types_is_a_miss(calls: CachedCalls) -> None:
    reads = file(calls, "a.fq")
    calls.call(reads=reads)
    [entry] = [path for path in (calls.directory / "calls").rglob("*.json") if not path.is_symlink()]
    entry.write_text(entry.read_text().replace('"count":7', '"count":"seven"'))
    assert calls.call(reads=reads) == "made"


def test_what_write_lines_made_is_found_again_as_in_miniwdl(calls: CachedCalls) -> None:
    task = task_of("version 1.1\ntask t { command <<<>>> output { File file = 'x' } }")
    nothing, made = values_from_json({}, task.available_inputs), {"file": file(calls, "run/write_/x")}
    for found in (None, made["file"]):
        with calls.cache() as cache:
            hit = cache.get("write_/abc", nothing, task.effective_outputs)
            assert (hit and hit["file"].value) == found
            cache.put(
                "write_/abc",
                values_from_json(made, task.effective_outputs),
                run_dir=str(calls.directory),
                inputs=nothing,
                add_paths=CallCacheAddPaths(),
            )
    assert (calls.directory / "calls" / "write_" / "abc.json").is_file()


def test_under_another_backend_it_is_miniwdls_own_cache(calls: CachedCalls) -> None:
    reads = file(calls, "a.fq")
    calls.options = {"scheduler": {"container_backend": "docker_swarm"}}
    assert calls.call(reads=reads) == "made"
    [entry] = [path for path in (calls.directory / "calls").rglob("*") if path.is_file()]
    assert "miniwdlCallCacheVersion" in json.loads(entry.read_text())
    assert "cromulent-1" not in entry.parts


def test_writers_and_readers_of_one_entry_do_not_disturb_each_other(tmp_path: Path) -> None:
    logger = logging.getLogger("quiet")
    call = Call("count", "task", "inputs")
    entries = [
        Entry(name="count", task_digest="task", inputs={}, configuration={}, directory=f"{n}", outputs={}, files={})
        for n in range(4)
    ]
    seen: set[str | None] = set()

    def work(entry: Entry) -> None:
        store = Store(str(tmp_path), logger)
        for _ in range(50):
            store.write(entry, CallKey(call, entry.inputs, entry.configuration))
            for found in (store.read(entry.key()), store.recent(call)):
                seen.add(found.directory if found else None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, entries))
    assert seen == {"0", "1", "2", "3"}
    assert len([path for path in tmp_path.rglob("*") if not path.is_dir()]) == 2


def test_where_it_cannot_write_runs_go_on_without(calls: CachedCalls, caplog: pytest.LogCaptureFixture) -> None:
    reads = file(calls, "a.fq")
    file(calls, "calls", "a file, where the cache's directory should be")
    for _ in range(2):
        assert calls.call(reads=reads) == "made"
        assert said(caplog)[0][0] == "running without call cache"


def test_where_digests_cannot_be_remembered_files_are_read(calls: CachedCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", file(calls, "xdg", "a file, where a directory should be"))
    reads = file(calls, "a.fq")
    assert calls.call(reads=reads) == "made"
    assert calls.call(reads=reads) == "1"


def test_a_full_disk_does_not_fail_the_call(calls: CachedCalls, caplog: pytest.LogCaptureFixture) -> None:
    reads = file(calls, "a.fq")
    calls.during = lambda cache: file(calls, "calls/cromulent-1", "in the way")
    assert calls.call(reads=reads) == "made"
    assert said(caplog)[-1][0] == "call not cached"


def test_a_run_that_is_told_to_stop_does_not_read_its_inputs_to_the_end(
    calls: CachedCalls, caplog: pytest.LogCaptureFixture
) -> None:
    reads = file(calls, "a.fq", "x" * (2 << 20))
    with TerminationSignalFlag(logging.getLogger("wdl")) as terminating:
        assert calls.call(reads=file(calls, "b.fq")) == "made"
        os.kill(os.getpid(), signal.SIGUSR1)
        assert terminating()
        assert calls.call(reads=reads) == "made"
    assert "stopped while reading" in said(caplog)[-1][1]["why"]
