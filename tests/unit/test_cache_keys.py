"""Which calls are the same to the call cache, and what it says of those that are not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from cromulent_wdl.plugin.cache import set_image_resolver
from tests.fakes.cached_calls import TASK, CachedCalls, file, said, task_of, why


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> CachedCalls:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    set_image_resolver(None)
    return CachedCalls(tmp_path, caplog)


def test_a_call_made_before_is_a_hit_and_says_where_from(calls: CachedCalls, caplog: pytest.LogCaptureFixture) -> None:
    reads = file(calls, "a.fq")
    assert calls.call(reads=reads) == "made"
    assert said(caplog) == [("call cache miss", {"call": "count"}, "INFO")]
    assert calls.call(reads=reads) == "1"
    made_in = str(calls.directory / "runs" / "1")
    assert said(caplog) == [("call cache hit", {"call": "count", "dir": made_in}, "NOTICE")]


def test_a_hit_is_remembered_for_the_day_it_is_lost(calls: CachedCalls, caplog: pytest.LogCaptureFixture) -> None:
    calls.call(reads=file(calls, "here/a.fq"))
    elsewhere = file(calls, "there/a.fq")
    assert calls.call(reads=elsewhere) == "1"
    file(calls, "there/a.fq", "other")
    assert calls.call(reads=elsewhere) == "made"
    assert why(caplog) == "the content of input reads has changed"


def test_the_same_content_elsewhere_is_a_hit(calls: CachedCalls) -> None:
    calls.call(reads=file(calls, "here/a.fq"), more=[file(calls, "here/b.fq", "more")])
    os.utime(file(calls, "there/a.fq"), (1, 1))
    moved = {"reads": str(calls.directory / "there/a.fq"), "more": [file(calls, "yonder/b.fq", "more")]}
    shutil.rmtree(calls.directory / "here")
    assert calls.call(**moved) == "1"


def test_a_link_to_the_content_is_as_good(calls: CachedCalls) -> None:
    calls.call(reads=file(calls, "a.fq"))
    (calls.directory / "links").mkdir()
    (calls.directory / "links" / "a.fq").symlink_to(calls.directory / "a.fq")
    assert calls.call(reads=str(calls.directory / "links" / "a.fq")) == "1"


def test_another_base_name_is_another_call_since_commands_see_it(calls: CachedCalls) -> None:
    calls.call(reads=file(calls, "a.fq"))
    assert calls.call(reads=file(calls, "b.fq")) == "made"


def test_one_byte_makes_another_call(calls: CachedCalls, caplog: pytest.LogCaptureFixture) -> None:
    reads = file(calls, "a.fq", "reads")
    calls.call(reads=reads)
    status = os.stat(reads)
    file(calls, "a.fq", "raeds")
    os.utime(reads, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert calls.call(reads=reads) == "made"
    assert why(caplog) == "the content of input reads has changed"
    file(calls, "a.fq", "reads")
    assert calls.call(reads=reads) == "1"


def test_a_byte_deep_in_a_directory_does_too(calls: CachedCalls, caplog: pytest.LogCaptureFixture) -> None:
    reads, deep = file(calls, "a.fq"), file(calls, "ref/sub/deep", "one")
    inputs = {"reads": reads, "reference": str(calls.directory / "ref")}
    calls.call(**inputs)
    assert calls.call(**inputs) == "1"
    Path(deep).write_text("two")
    assert calls.call(**inputs) == "made"
    assert why(caplog) == "the content of input reference has changed"


@pytest.mark.parametrize("name", ["more", "named"])
def test_files_within_values_count_by_content(calls: CachedCalls, caplog: pytest.LogCaptureFixture, name: str) -> None:
    reads, one, two = file(calls, "a.fq"), file(calls, "x/1", "one"), file(calls, "y/2", "two")
    value: Any = [one, two] if name == "more" else {"one": one, "two": two}
    calls.call(reads=reads, **{name: value})
    assert calls.call(reads=reads, **{name: value}) == "1"
    file(calls, "y/2", "other")
    assert calls.call(reads=reads, **{name: value}) == "made"
    assert why(caplog) == f"the content of input {name} has changed"


def test_the_order_of_files_counts(calls: CachedCalls) -> None:
    reads, one, two = file(calls, "a.fq"), file(calls, "1", "one"), file(calls, "2", "two")
    calls.call(reads=reads, more=[one, two])
    assert calls.call(reads=reads, more=[two, one]) == "made"


def test_plain_values_count(calls: CachedCalls) -> None:
    reads = file(calls, "a.fq")
    calls.call(reads=reads, word="a")
    assert calls.call(reads=reads, word="b") == "made"
    assert calls.call(reads=reads) == "made"
    assert calls.call(reads=reads, word="a") == "1"


def test_files_of_one_name_are_parted_by_their_directories(calls: CachedCalls) -> None:
    """As miniwdl parts them: what lay beside each other stays so, and a command can tell."""
    one, two, three = file(calls, "1/a", "x"), file(calls, "2/a", "x"), file(calls, "2/b", "y")
    calls.call(reads=one, more=[two, three])
    moved = [file(calls, "3/a", "x"), file(calls, "4/a", "x"), file(calls, "4/b", "y"), file(calls, "3/b", "y")]
    assert calls.call(reads=moved[0], more=moved[1:3]) == "1"
    assert calls.call(reads=moved[0], more=[moved[1], moved[3]]) == "made"


def test_another_command_is_another_task(calls: CachedCalls, caplog: pytest.LogCaptureFixture) -> None:
    reads = file(calls, "a.fq")
    calls.call(reads=reads)
    calls.task = task_of(TASK.replace("grep -c", "grep -v"))
    assert calls.call(reads=reads) == "made"
    assert why(caplog) == "the task's WDL has changed"


SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:lab/token-AbCdEf"
SETTINGS: dict[str, tuple[str, str, Any]] = {
    "[task_runtime] defaults": ("task_runtime", "defaults", {"docker": "debian:12"}),
    "[task_runtime] command_shell": ("task_runtime", "command_shell", "/bin/sh"),
    "[task_runtime] command_preamble": ("task_runtime", "command_preamble", "set -e"),
    "[task_runtime] old_command_dedent": ("task_runtime", "old_command_dedent", True),
    "[task_runtime] placeholder_regex": ("task_runtime", "placeholder_regex", "[a-z]*"),
    "[task_runtime] as_user": ("task_runtime", "as_user", True),
    "[task_runtime] env": ("task_runtime", "env", {"TZ": "Europe/Vienna"}),
    "[cromulent] task_secrets": ("cromulent", "task_secrets", f"count.TOKEN={SECRET}"),
    "[docker_swarm] allow_networks": ("docker_swarm", "allow_networks", ["host"]),
    "[file_io] copy_input_files": ("file_io", "copy_input_files_for", ["count"]),
    "[file_io] use_relative_output_paths": ("file_io", "use_relative_output_paths", True),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_commands_notice_counts(calls: CachedCalls, caplog: pytest.LogCaptureFixture, name: str) -> None:
    reads = file(calls, "a.fq")
    calls.call(reads=reads)
    section, option, value = SETTINGS[name]
    calls.options = {section: {option: value}}
    assert calls.call(reads=reads) == "made"
    assert why(caplog) == f"{name} has changed"
    assert calls.call(reads=reads) == "2"


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("file_io", "copy_input_files_for", ["other"]),
        ("cromulent", "task_secrets", f"other.TOKEN={SECRET}"),
        ("task_runtime", "cpu_max", 3),
        ("scheduler", "task_concurrency", 7),
    ],
)
def test_other_settings_do_not(calls: CachedCalls, section: str, option: str, value: Any) -> None:
    reads = file(calls, "a.fq")
    calls.call(reads=reads)
    calls.options = {section: {option: value}}
    assert calls.call(reads=reads) == "1"


def test_a_variable_passed_on_counts_by_its_value_which_is_kept_from_view(
    calls: CachedCalls, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = file(calls, "a.fq")
    calls.options = {"task_runtime": {"env": {"TOKEN": None, "OTHER": "0pen5ecret"}}}
    monkeypatch.setenv("TOKEN", "s3cr3tvalue")
    calls.call(reads=reads)
    assert calls.call(reads=reads) == "1"
    monkeypatch.setenv("TOKEN", "another")
    assert calls.call(reads=reads) == "made"
    assert why(caplog) == "[task_runtime] env has changed"
    kept = "".join(path.read_text() for path in (calls.directory / "calls").rglob("*.json"))
    assert "s3cr3tvalue" not in kept
    assert "0pen5ecret" not in kept
