import json
import typing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cromulent_wdl.model import Ending, Event, TaskEnded, Usage, events, from_json, to_json

EVENTS = typing.get_args(Event)
AWS_TIMES = ("created_at", "pull_started_at", "pull_stopped_at", "started_at", "stopped_at")


def _strategy(cls: type[msgspec.Struct]) -> st.SearchStrategy[typing.Any]:
    at = st.floats(min_value=0, max_value=4e9).map(lambda value: round(value, 3))
    text = st.text(max_size=20)
    known: dict[str, st.SearchStrategy[typing.Any]] = {
        "at": at,
        "pid": st.integers(min_value=1, max_value=10**6),
        "attempt": st.integers(min_value=1, max_value=9),
        "cpu": st.integers(min_value=0, max_value=64),
        "memory": st.integers(min_value=0, max_value=10**12),
        "memory_limit": st.integers(min_value=0, max_value=10**12),
        "disk": st.none() | st.integers(min_value=0, max_value=10**12),
        "storage": st.integers(min_value=20, max_value=200),
        "public_address": st.booleans(),
        **dict.fromkeys(AWS_TIMES, st.none() | at),
        "exit_code": st.none() | st.integers(min_value=0, max_value=255),
        "ending": st.sampled_from(Ending),
        "versions": st.dictionaries(text, text, max_size=3),
        "usage": st.builds(
            Usage,
            memory_peak=st.none() | st.integers(min_value=0),
            cpu_seconds=st.none() | st.floats(0, 1e6),
            disk_peak=st.none() | st.integers(min_value=0),
            source=text,
        ),
    }
    return st.builds(cls, **{name: known.get(name, text) for name in cls.__struct_fields__})


@given(st.one_of([_strategy(cls) for cls in EVENTS]))
def test_every_event_is_read_back_from_its_line(event: Event) -> None:
    line = to_json(event)
    assert "\n" not in line
    assert from_json(line) == event


class Name(str):
    """A text of a class of its own, as parsers make them."""


@pytest.mark.parametrize(
    "text", ["plain", "ä 😀 \u2028", "\x00\x1f\x7f\b\f\n\r\t", '"\\/', "not UTF-8: \udcff", Name("parsed"), "</script>"]
)
def test_a_line_is_what_python_s_json_writes(text: str) -> None:
    usage = Usage(2**40, 0.003, 12.5, "rusage")
    line = to_json(TaskEnded(1763840000.12345, text, 1, Ending.FAILED, 3, text, usage))
    assert line == json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":"))
    assert json.loads(line)["message"] == text


def test_the_names_on_disk_are_those_of_the_reference() -> None:
    reference = (Path(__file__).parents[2] / "docs/reference/journal.md").read_text()
    for name, cls in events._CLASSES.items():
        row = next(row for row in reference.splitlines() if row.startswith(f"| `{name}`"))
        for field in cls.__struct_fields__:
            assert field == "at" or f"`{field}`" in row, (name, field)


def test_an_event_or_field_of_tomorrow_is_passed_over() -> None:
    assert from_json('{"v":1,"at":1.0,"event":"comet_seen"}') is None
    line = json.loads(to_json(TaskEnded(1.0, "a", 1, Ending.OK))) | {"colour": "red"}
    assert from_json(json.dumps(line)) == TaskEnded(1.0, "a", 1, Ending.OK)


@pytest.mark.parametrize(
    "line", ["", "{", "[]", '{"v":2,"at":1,"event":"run_ended"}', '{"v":1,"event":"task_ended","ending":"?"}']
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        from_json(line)
