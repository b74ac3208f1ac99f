"""Drives the call cache as miniwdl does: ask, and make the result oneself where there is none."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import WDL
from WDL import Env, Tree, Value, values_from_json
from WDL._util import StructuredLogMessage
from WDL.runtime.cache import CallCacheAddPaths, call_cache_key
from WDL.runtime.config import Loader

from cromulent_wdl.plugin.cache import ContentCache, last_hit_origin, remember_image

__all__ = ["TASK", "CachedCalls", "file", "said", "task_of", "why"]

TASK = """
version 1.2
task count {
  input {
    File reads
    File? index
    Directory? reference
    Array[File] more = []
    Map[String, File] named = {}
    String word = "a"
  }
  command <<< grep -c ~{word} ~{reads} > n.txt; mkdir d; echo x > d/x >>>
  output {
    Int count = read_int("n.txt")
    File text = "n.txt"
    Directory directory = "d"
  }
}
"""


def task_of(source: str) -> Tree.Task:
    document = WDL.parse_document(source)
    document.typecheck()
    return document.tasks[0]


class CachedCalls:
    """Calls of one task in one directory; a new run, with a new cache object, for each `call`."""

    def __init__(self, directory: Path, caplog: pytest.LogCaptureFixture, source: str = TASK) -> None:
        self.directory = directory
        self.task = task_of(source)
        self.image: tuple[str, str] | None = None
        """What tasks run in: the image and its digest."""
        self.options: dict[str, dict[str, Any]] = {}
        """Configuration on top of what `cromulent run` has."""
        self.during: Callable[[ContentCache], object] = lambda cache: None
        """Happens while a task runs."""
        self.add_paths = CallCacheAddPaths()
        self._runs = 0
        self._caplog = caplog

    @contextmanager
    def cache(self) -> Iterator[ContentCache]:
        """Open the cache of a new run."""
        logger = logging.getLogger("wdl")
        cfg = Loader(logger, filenames=[])
        cfg.override({"scheduler": {"container_backend": "cromulent"}})
        cfg.override(
            {"call_cache": {"dir": str(self.directory / "calls"), "get": True, "put": True, "backend": "cromulent"}}
        )
        cfg.override(self.options)
        self._caplog.clear()
        self._caplog.set_level(logging.INFO, "wdl")
        cache = ContentCache(cfg, logger)
        with cache:
            yield cache

    def call(self, **inputs: Any) -> str:
        """Run the task with the inputs; return `made` or the name of the run that the result came from."""
        with self.cache() as cache:
            return self.call_in(cache, **inputs)

    def call_in(self, cache: ContentCache, **inputs: Any) -> str:
        bound: Env.Bindings[Value.Base] = values_from_json(inputs, self.task.available_inputs)
        key = call_cache_key(self.task.name, self.task.digest, bound)
        found = cache.get(key, bound, self.task.effective_outputs)
        if found is not None:
            assert found["count"].value == 7
            assert os.path.exists(found["text"].value)
            origin = last_hit_origin()
            assert origin is not None
            return Path(origin).name
        assert last_hit_origin() is None
        run = self._make()
        self.during(cache)
        if self.image:
            remember_image(str(run), *self.image)
        outputs = {"count": 7, "text": str(run / "out" / "n.txt"), "directory": str(run / "work" / "d")}
        cache.put(
            key,
            values_from_json(outputs, self.task.effective_outputs),
            run_dir=str(run),
            inputs=bound,
            add_paths=self.add_paths,
        )
        return "made"

    def _make(self) -> Path:
        """Make what a task leaves in its run directory."""
        self._runs += 1
        run = self.directory / "runs" / str(self._runs)
        (run / "work" / "d").mkdir(parents=True)
        (run / "out").mkdir()
        (run / "task.log").touch()
        (run / "work" / "n.txt").write_text("7\n")
        (run / "work" / "d" / "x").write_text("x\n")
        (run / "out" / "n.txt").symlink_to("../work/n.txt")
        return run


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any], str]]:
    """Return what the cache has logged: message, details and level."""
    return [
        (record.msg.message, record.msg.kwargs, record.levelname)
        for record in caplog.records
        if isinstance(record.msg, StructuredLogMessage)
    ]


def why(caplog: pytest.LogCaptureFixture) -> str:
    """Return what was said of a miss, which has to be visible, being the loss of an earlier result."""
    [(message, details, level)] = said(caplog)
    assert (message, details["call"], level) == ("call cache miss", "count", "NOTICE")
    return str(details["why"])


def file(calls: CachedCalls, name: str, content: str = "reads") -> str:
    """Write a file in the directory of the calls; return its path."""
    path = calls.directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return str(path)
