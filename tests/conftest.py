"""What holds for every test: where engines are required, a test may not be left out for want of one."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.limits"]
# How long an example takes says how busy the machine is. And what passed once passes again: `--hypothesis-profile
# default` draws other examples each time.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")
REQUIRED_TESTS = tuple(Path(__file__).parent / name for name in ("engine", "browser", "simulator", "chaos"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that CI gives."""
    parser.addoption(
        "--require-engines",
        action="store_true",
        help="fail, rather than leave out, what tests/engine, browser, simulator and chaos cannot run",
    )
    parser.addoption("--chaos-seeds", type=int, default=2, help="how many storms tests/chaos goes through")
    parser.addoption("--chaos-kills", type=int, default=1, help="through how many more with heads that are killed")
    parser.addoption("--chaos-cloud", type=int, default=3, help="how many runs in the cloud tests/chaos disturbs")
    parser.addoption("--chaos-first", type=int, default=0, help="the seed of the first of them")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that leaves itself out where it must run."""
    report = yield
    _fail_if_left_out(item, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that leaves itself out as a whole where it must run."""
    report = yield
    _fail_if_left_out(collector, report)
    return report


def _fail_if_left_out(node: pytest.Item | pytest.Collector, report: pytest.TestReport | pytest.CollectReport) -> None:
    within = any(node.path.is_relative_to(place) for place in REQUIRED_TESTS)
    required = node.config.getoption("--require-engines") and within
    if required and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        report.outcome = "failed"
        report.longrepr = f"left out, though every engine is required here: {reason}"
