"""Chromium without a window, and the report of a run in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.fakes.wide_runs import make_wide_run

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_TWO_FRAMES = "() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
"""After which all is drawn that was to be drawn before the next picture."""
_ARGUMENTS = ("--no-sandbox", "--disable-background-networking")


@pytest.fixture(scope="module")  # no longer: while Playwright runs, nothing else here can have an event loop
def browser() -> Iterator[Browser]:
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Shown:
    """A page, and what it did that it should not have done."""

    page: Page
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Show = Callable[..., Shown]


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    """Open a file, at a width and in light or dark; at the end nothing may have gone wrong or left the page."""
    shown: list[Shown] = []

    def open_(file: Path, width: int = 1280, scheme: str = "light") -> Shown:
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        seen = Shown(page)
        page.on("console", lambda message: seen.faults.append(message.text))
        page.on("pageerror", lambda error: seen.faults.append(str(error)))
        page.on("request", lambda request: seen.requests.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]")
        page.evaluate(_TWO_FRAMES)
        shown.append(seen)
        return seen

    yield open_
    for each in shown:
        each.page.context.close()
        assert each.faults == []
        assert [url for url in each.requests if not url.startswith(("file:", "data:"))] == []
        assert len([url for url in each.requests if url.startswith("file:")]) == 1, "the page is one file"


def report(directory: Path, output: Path) -> Path:
    """Make the report of a run with the command that users type; Playwright's event loop keeps it from running here."""
    subprocess.run([sys.executable, "-m", "cromulent_wdl", "report", directory, "-o", output], check=True)
    return output


@pytest.fixture(scope="session")
def failed_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a run of 196 calls, three of which ran out of memory."""
    place = tmp_path_factory.mktemp("reports")
    return report(make_wide_run(place / "20261122-1911-p7", 66, 3), place / "failed.html")
