"""How long AWS is left alone between two questions, as its callers say."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cromulent_wdl.aws.access import Access
from cromulent_wdl.aws.ecs import Ecs
from cromulent_wdl.aws.log_streams import Looks, drain
from cromulent_wdl.errors import AwsThrottled
from tests.fakes.clocks import FakeClock


class Refusing(Access):
    """A way into a cloud that refuses everything with one code."""

    def __init__(self, code: str) -> None:
        super().__init__(region="nowhere-1")
        self._code = code

    def client(self, service: str, *, patient: bool = True, region: str = "") -> Any:
        return self

    def task_calls(self) -> Any:
        return self

    def _refuse(self, **asked: Any) -> Any:
        raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "Anything")

    get_log_events = describe_task_definition = _refuse


def test_a_log_that_does_not_come_is_looked_for_until_its_time_is_over_with_the_pause_that_was_said() -> None:
    clock = FakeClock()
    looks = Looks(clock.now() + 3, pause=0.5)
    found = drain(Refusing("ResourceNotFoundException"), "group", "stream", looks, clock=clock, stopping=lambda: False)
    assert found == []
    assert clock.slept == [0.5] * 6


def test_the_longest_pause_before_a_call_of_ecs_is_made_anew_is_the_one_that_was_said() -> None:
    took = {}
    for longest in (0.0, 20.0):
        clock = FakeClock()
        began = clock.monotonic()
        with pytest.raises(AwsThrottled):
            Ecs(Refusing("ThrottlingException"), "cluster", pauses=(0.5, longest), clock=clock).definition("family")
        took[longest] = clock.monotonic() - began
    assert took[0.0] < 13 < 25 < took[20.0]  # what is left are the buckets' own waits
