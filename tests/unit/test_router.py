"""A task goes to the first backend that takes it."""

from __future__ import annotations

from pathlib import Path

from cromulent_wdl.backends.router import Router
from cromulent_wdl.backends.seam import Backend, Cancellation
from cromulent_wdl.model import Ending, Resources
from tests.fakes.plain_backend import PlainBackend
from tests.fakes.process_tasks import Events, process_task


def test_each_task_goes_to_the_first_that_takes_it(tmp_path: Path) -> None:
    small, large = PlainBackend("small", "16 cpus at most", 16), PlainBackend("large", "96 cpus at most", 96)
    router: Backend = Router([small, large])
    for cpu in (1, 32, 4):
        task = process_task(tmp_path / str(cpu), "true", resources=Resources(cpu=cpu))
        assert router.refusal(task) is None
        assert router.takes_over(task, "large" if cpu > 16 else "small", Cancellation(), lambda _: None)
        assert router.run(task, Cancellation(), Events()).ending is Ending.OK
    assert (small.ran, large.ran) == (["1", "4"], ["32"])
    assert router.limits() == (96, 96)
    assert (router.name, router.image_digest("i")) == ("small", "small:i")
    router.close()
    assert small.closed and large.closed


def test_what_nobody_takes_is_refused_with_everybodys_reason(tmp_path: Path) -> None:
    task = process_task(tmp_path / "c", "true", resources=Resources(cpu=200))
    small, large = PlainBackend("small", "16 cpus at most", 16), PlainBackend("large", "96 cpus at most", 96)
    assert Router([small, large]).refusal(task) == "small: 16 cpus at most; large: 96 cpus at most"
    assert Router([small]).refusal(task) == "16 cpus at most"
