"""The report in a real browser: it draws, sorts, filters, answers keys, and says the same in light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.model import Ending, RunEnded
from tests.browser.conftest import Show, report
from tests.fakes.journals import make_run, run_under_way
from tests.fakes.waiting import eventually
from tests.fakes.wide_runs import make_wide_run

_INK = """canvas => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data, seen = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  return [...seen];
}"""


def _column(page: Page, number: int) -> list[str]:
    return page.locator(f"#table tbody tr[data-call] > :nth-child({number})").all_inner_texts()


def _colour(page: Page, variable: str) -> int:
    value = page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('{variable}').trim()")
    return int(str(value).removeprefix("#"), 16)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everything_is_drawn_and_nothing_is_wider_than_the_screen(
    failed_report: Path, show: Show, width: int, scheme: str
) -> None:
    page = show(failed_report, width, scheme).page
    colours = page.locator("#bars").evaluate(_INK)
    assert {_colour(page, "--ok"), _colour(page, "--soft")} <= set(colours), "bars and labels"
    assert _colour(page, "--accent") in page.locator("#overview").evaluate(_INK), "the strip's window"
    assert page.locator("#graph svg text").count() >= 5
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 27)") == (scheme == "dark")


def test_what_is_said_first_is_why_it_failed_and_what_it_cost(failed_report: Path, show: Show) -> None:
    page = show(failed_report).page
    assert page.title() == "cohort: failed (20261122-1911-p7)"
    assert page.locator(".why h2").inner_text() == "cohort failed: align[33] ran out of memory, twice."
    assert "cromulent rerun" in page.locator(".why .try").first.inner_text()
    assert re.search(r"\$\d+\.\d\d", page.locator(".figures").inner_text())
    assert "of it without result" in page.locator(".figures").inner_text()
    assert page.locator("#path li").count() == 3


def test_the_text_of_a_run_is_never_markup_and_secrets_are_not_in_the_page(failed_report: Path, show: Show) -> None:
    page = show(failed_report).page
    assert "Killed <script>alert(1)</script>" in page.locator(".why").inner_text()
    source = failed_report.read_text()
    assert "<script>alert(1)" not in source
    assert "s3cr3t" not in source and "(hidden)" in page.locator("#values").inner_text()


def test_the_table_is_sorted_by_any_column_both_ways(failed_report: Path, show: Show) -> None:
    page = show(failed_report).page
    assert page.locator("#count").inner_text() == "196 calls"
    took = page.get_by_role("button", name="Took")
    took.click()
    assert page.locator("#table th[aria-sort=descending]").inner_text() == "Took"
    seconds = [_seconds(text) for text in _column(page, 4)]
    assert seconds == sorted(seconds, reverse=True) and seconds[0] > 1800
    took.click()
    seconds = [_seconds(text) for text in _column(page, 4)]
    assert seconds == sorted(seconds)
    page.get_by_role("button", name="Call", exact=True).click()
    assert _column(page, 1)[:4] == ["align[0]", "align[1]", "align[2]", "align[3]"]


def _seconds(text: str) -> int:
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + int(part or 0)
    return seconds


def test_calls_are_filtered_by_words_states_and_the_critical_path(failed_report: Path, show: Show) -> None:
    page = show(failed_report).page
    page.get_by_label("Filter").fill("ALIGN memory")
    assert page.locator("#count").inner_text() == "3 of 196 calls"
    assert sorted(_column(page, 1)) == ["align[33]", "align[34]", "align[35]"]
    page.get_by_label("Filter").fill("")
    page.get_by_role("button", name="9 cached").click()
    assert page.locator("#count").inner_text() == "9 of 196 calls"
    page.get_by_role("button", name="9 cached").click()
    page.get_by_label("on the critical path").check()
    assert set(_column(page, 1)) == set(page.locator("#path li button").all_inner_texts())


def test_a_row_is_in_the_page_only_while_it_is_seen(failed_report: Path, show: Show) -> None:
    page = show(failed_report).page
    assert page.locator("#table tbody tr[data-call]").count() < 60
    page.locator("#window").evaluate("window => { window.scrollTop = window.scrollHeight; }")
    last = page.locator("#table tbody tr:nth-last-child(2)")
    assert eventually(lambda: last.get_attribute("aria-rowindex") == "197")


def test_a_call_has_its_attempts_last_words_and_files(failed_report: Path, show: Show) -> None:
    page = show(failed_report).page
    page.get_by_label("Filter").fill("align[34]")
    page.get_by_role("button", name="align[34]").click()
    dialog = page.get_by_role("dialog")
    text = dialog.inner_text()
    assert "out of memory, status 137" in text and "Killed <script>" in text and "s3://lab/34.fq.gz" in text
    link = dialog.get_by_role("link", name="stderr2.txt").get_attribute("href")
    assert link is not None and link.endswith("/call-align-34/stderr2.txt")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_the_timeline_answers_pointer_wheel_and_keys(failed_report: Path, show: Show) -> None:
    page = show(failed_report).page
    scroller = page.locator("#scroller")
    scroller.hover(position={"x": 400, "y": 60})
    assert re.match(r"\w+(\[\d+\])?\n", page.locator("#tip").inner_text())
    before = page.locator("#bars").evaluate(_INK_ROWS)
    page.get_by_role("button", name="Zoom in").click()
    assert eventually(lambda: page.locator("#bars").evaluate(_INK_ROWS) != before)
    page.get_by_role("button", name="All", exact=True).click()
    scroller.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.locator("#said").inner_text().count(",") >= 2, "what is chosen is said"
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()


_INK_ROWS = "canvas => canvas.toDataURL().length"


def test_it_can_be_read_with_the_keyboard_alone_and_prints_all_rows(failed_report: Path, show: Show) -> None:
    page = show(failed_report).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the calls"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, a, canvas[role], svg[role], [tabindex=\"0\"]:not(pre)')]"
        ".filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.title)).map(e => e.outerHTML)"
    )
    assert unnamed == []
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#table tbody tr[data-call]").count() == 196


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(failed_report: Path, show: Show, scheme: str) -> None:
    page = show(failed_report, scheme=scheme).page
    for text in ("--ink", "--soft", "--accent", "--failed", "--ok", "--stopped"):
        for ground in ("--paper", "--sheet", "--wash"):
            assert _contrast(_colour(page, text), _colour(page, ground)) >= 4.5, (text, ground)
    for mark in ("--oom", "--disk", "--spot", "--place", "--running"):
        assert _contrast(_colour(page, mark), _colour(page, "--sheet")) >= 3, mark


def _contrast(one: int, other: int) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: int) -> float:
    parts = [(colour >> shift & 255) / 255 for shift in (16, 8, 0)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_run_here_that_goes_on_is_shown_as_far_as_it_is(tmp_path: Path, show: Show) -> None:
    directory = make_run(tmp_path / "20261122_190411_align", run_under_way(SYSTEM.now()), listed=False)
    page = show(report(directory, tmp_path / "r.html")).page
    assert page.locator(".badge").inner_text() == "running"
    assert "1 running, 2 waiting" in page.locator(".why").inner_text()
    assert "it ran here" in page.locator(".figures").inner_text()
    assert page.get_by_role("columnheader", name="Cost").count() == 0, "nothing has a cost"


def test_a_run_without_any_call_is_a_page_too(tmp_path: Path, show: Show) -> None:
    events = [*run_under_way(1.0)[:1], RunEnded(2.0, Ending.FAILED, "division by zero")]
    page = show(report(make_run(tmp_path / "empty", events, listed=False), tmp_path / "r.html")).page
    assert "division by zero" in page.locator(".why").inner_text()
    assert page.locator("#count").inner_text() == "0 calls"


def test_ten_thousand_calls_can_be_used(tmp_path: Path, show: Show) -> None:
    page = show(report(make_wide_run(tmp_path / "wide", 3333), tmp_path / "r.html")).page
    assert page.locator("#count").inner_text() == "10001 calls"
    page.get_by_label("Filter").fill("align[1234]")
    assert _column(page, 1) == ["align[1234]"]
    page.get_by_label("Filter").fill("")
    page.get_by_role("button", name="Memory").click()
    assert page.locator("#table th[aria-sort=descending]").inner_text() == "Memory"
    assert page.locator("#table tbody tr[data-call]").count() < 60
