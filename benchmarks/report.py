"""`python -m benchmarks.report`: make the report of a run of 10,000 calls, open it in Chromium, print a row a figure,
exit with 1 if one is short.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from tests.fakes.wide_runs import make_wide_run

from .figures import Row
from .measure import Command, in_turn
from .runner import Goals, run
from .scale import Scale

MB = 1_000_000
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
READY = "performance.now()"
FILTER = """(() => {
  const filter = document.getElementById("filter");
  filter.value = "1234";
  filter.dispatchEvent(new Event("input"));
})()"""
DRAWN = """() => new Promise(resolve => {
  const begin = performance.now();
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - begin)));
})"""


def page_of_many(scale: Scale) -> list[Row]:
    """Measure making and opening the page of a run of 10,000 calls."""
    with tempfile.TemporaryDirectory(prefix="report-") as place:
        directory = make_wide_run(Path(place, "20261122-1911-p7"), scale.size(10_000, 300) // 3)
        page = Path(place, "report.html")
        return [*_making(directory, page, scale.times), *_opening(page, scale.times)]


def _making(directory: Path, page: Path, repetitions: int) -> Iterator[Row]:
    arguments = [sys.executable, "-m", "cromulent_wdl", "report", str(directory), "-o", str(page)]
    command = Command("report", arguments)
    samples = in_turn([command], repetitions)[command.name]
    yield Row(1, "making it, wall time", "s", samples.wall, limit=10)
    yield Row(1, "making it, CPU", "s", samples.cpu)
    yield Row(2, "memory at most", "MB", samples.memory / MB, limit=500)
    yield Row(3, "the page", "MB", page.stat().st_size / MB, limit=15)


def _opening(page: Path, repetitions: int) -> Iterator[Row]:
    with _chromium() as browser:
        seen = [_open(browser, page) for _ in range(repetitions)]
    for goal, what, limit in (
        (4, "first paint", 3.0),
        (4, "all drawn", None),
        (5, "a zoom", None),
        (5, "a filter", None),
    ):
        yield Row(goal, what, "s", statistics.median(each[what] for each in seen) / 1000, limit=limit)


def _open(browser: Browser, file: Path) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    figures = {"all drawn": page.evaluate(READY), "first paint": page.evaluate(PAINTED)}
    figures["a zoom"] = _after(page, "document.querySelector('[data-zoom=in]').click()")
    figures["a filter"] = _after(page, FILTER)
    page.close()
    return figures


def _after(page: Page, action: str) -> float:
    """Return the milliseconds from an action until what it changes is on the screen."""
    begin = page.evaluate("performance.now()")
    page.evaluate(action)
    page.evaluate(DRAWN)
    return float(page.evaluate("performance.now()")) - float(begin)


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if program is None:
        raise SystemExit("there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


GOALS: Goals = {1: ("the page of 10,000 calls", page_of_many)}


if __name__ == "__main__":
    sys.exit(run("report", __doc__, GOALS))
