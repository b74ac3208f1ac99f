"""`python -m benchmarks.report`: make the report of a run of 10,000 calls, open it in Chromium, print a row a figure,
exit with 1 if one is short.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from tests.fakes.wide_runs import make_wide_run

from .environments import CACHE
from .figures import Row, as_json, table
from .measure import Command, in_turn

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


def main() -> int:
    """Measure, and return the exit status."""
    options = _arguments().parse_args()
    with tempfile.TemporaryDirectory(prefix="report-") as place:
        directory = make_wide_run(Path(place, "20261122-1911-p7"), options.calls // 3)
        page = Path(place, "report.html")
        rows = [*_making(directory, page, options.repetitions), *_opening(page, options.repetitions)]
    print(f"\n{table(rows)}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"calls": options.calls, "rows": as_json(rows)}, indent=2))
    print(f"\nAlso in {options.json}")
    return 1 if any(row.verdict == "short" for row in rows) else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000, metavar="N", help="how many (default: 10000)")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="of each (default: 5)")
    parser.add_argument("--json", type=Path, default=CACHE / "report.json", metavar="FILE", help="where to write rows")
    return parser


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


if __name__ == "__main__":
    sys.exit(main())
