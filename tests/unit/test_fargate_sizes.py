"""Fargate's sizes: the smallest that holds a task, and a sentence where none does (facts: cpu/memory)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.backends.fargate.sizes import Size, defaulted, no_size, rounding, size_for
from cromulent_wdl.config import Settings
from cromulent_wdl.model import Resources
from cromulent_wdl.simulator.ecs.sizes import require_fargate_size
from cromulent_wdl.units import GIB

GB = 1024


@pytest.mark.parametrize(
    ("cpu", "memory", "size"),
    [
        (1024, 2048, (1024, 2048)),
        (256, 1, (256, 512)),
        (256, 3 * GB, (512, 3 * GB)),
        (1024, 1800, (1024, 2048)),
        (1024, 8 * GB + 1, (2048, 9 * GB)),
        (3 * 1024, 4 * GB, (4096, 8 * GB)),
        (4096, 31 * GB, (8192, 32 * GB)),
        (8192, 17 * GB, (8192, 20 * GB)),
        (2048, 96 * GB, (16384, 96 * GB)),
        (16384, 113 * GB, (16384, 120 * GB)),
    ],
)
def test_the_smallest_size_that_holds_it(cpu: int, memory: int, size: tuple[int, int]) -> None:
    assert size_for(cpu, memory) == Size(*size)


@given(st.integers(1, 20_000), st.integers(1, 140_000))
def test_every_size_is_one_that_fargate_has_and_holds_what_was_asked(cpu: int, memory: int) -> None:
    size = size_for(cpu, memory)
    if size is None:
        assert cpu > 16384 or memory > 120 * GB
        return
    require_fargate_size(size.cpu, size.memory)  # by whom the simulator goes
    assert size.cpu >= cpu and size.memory >= memory
    assert size.cpu / 2 < max(cpu, 256) or size_for(size.cpu // 2, memory) == size


def test_disk_is_twenty_gib_or_what_is_asked_up_to_two_hundred() -> None:
    assert size_for(1024, 2048, 0) == Size(1024, 2048, 20)
    assert size_for(1024, 2048, 30 * GIB + 1) == Size(1024, 2048, 31)
    assert size_for(1024, 2048, 200 * GIB) == Size(1024, 2048, 200)
    assert size_for(1024, 2048, 200 * GIB + 1) is None
    assert "200 GiB at most" in no_size(1024, 2048, 201 * GIB)


def test_what_no_size_holds_is_told_with_the_nearest() -> None:
    assert size_for(32 * 1024, 4 * GB) is None
    assert no_size(32 * 1024, 96 * GB).endswith("the nearest is 16 vCPU 96 GiB")
    assert no_size(1024, 300 * GB).endswith("the nearest is 16 vCPU 120 GiB")


def test_what_was_rounded_up_is_told() -> None:
    size = Size(4096, 8192)
    assert rounding(Resources(cpu=3, memory=4_000_000_000), size) == "3 vCPU rounded to 4, 4 GB rounded to 8 GiB"
    assert rounding(Resources(cpu=4, memory=8 * GIB), size) == rounding(Resources(), size) == ""


def test_row_18_a_task_that_declares_nothing_has_a_whole_vcpu() -> None:
    settings = Settings()
    assert size_for(int(settings.default_cpu * 1024), settings.default_memory) == Size(1024, 2048)


def test_what_is_not_declared_is_the_defaults() -> None:
    assert defaulted(Resources(), 512, 1024) == (512, 1024)
    assert defaulted(Resources(cpu=2, memory=4_000_000_000), 512, 1024) == (2048, 3815)
    assert defaulted(Resources(memory=1, memory_limit=5 * 1024**2), 512, 1024) == (512, 5)
