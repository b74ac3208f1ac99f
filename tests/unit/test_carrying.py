"""What goes with a run into the cloud, and on into the run that repeats it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cromulent_wdl.cli.carrying import carried_on, options_to_carry, settings_to_carry
from cromulent_wdl.cli.configuration import effective
from cromulent_wdl.cli.options import RunOptions
from cromulent_wdl.config import Settings
from cromulent_wdl.errors import UsageError
from cromulent_wdl.model.cloud_run import RunRequest
from cromulent_wdl.plugin.settings import settings_of
from cromulent_wdl.submit.bundle import Bundle

ASKED = RunRequest("b", headCpu="2048", headMemory="4096")


def bundle_of(options: RunOptions) -> Bundle:
    resolved = settings_of(effective(options, logging.getLogger("test")))
    return Bundle("w", "e", {}, options=options_to_carry(options), settings=settings_to_carry(resolved))


def settings_after(options: RunOptions) -> Settings:
    return settings_of(effective(options, logging.getLogger("test"))).settings


def test_what_is_only_here_is_carried_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "defaults.json").write_text('{"maxRetries": 2}')
    monkeypatch.setenv("TOKEN", "t")
    carried = options_to_carry(
        RunOptions("w.wdl", runtime_defaults=str(tmp_path / "defaults.json"), env=("TOKEN", "A=1"), verbose=True)
    )
    assert carried == {"runtime_defaults": '{"maxRetries": 2}', "env": ("TOKEN=t", "A=1")}
    with pytest.raises(UsageError, match="NOWHERE"):
        options_to_carry(RunOptions("w.wdl", env=("NOWHERE",)))


def test_a_repeated_run_has_the_options_of_the_first_unless_given_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROMULENT_SPOT", "false")
    monkeypatch.setenv("CROMULENT_MEMORY_RETRY", "3")
    secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:lab/token-AbCdEf"
    first = RunOptions(
        "w.wdl", max_cost=2.5, secret=(f"t.TOKEN={secret}",), env=("A=1",), no_cache=True, runtime_cpu_max=4
    )
    bundle = bundle_of(first)
    monkeypatch.delenv("CROMULENT_SPOT")
    monkeypatch.setenv("CROMULENT_MEMORY_RETRY", "0")
    again = carried_on(RunOptions("w.wdl", runtime_cpu_max=2), bundle, ASKED)
    assert (again.env, again.runtime_cpu_max, again.no_cache) == (("A=1",), 2, False)
    settings = settings_after(again)
    assert (settings.spot, settings.max_cost, settings.memory_retry) == (False, 2.5, 0)
    assert settings.task_secrets == (f"t.TOKEN={secret}",)
    assert (settings.head_cpu, settings.head_memory) == ("2048", "4096")
    assert settings_after(carried_on(RunOptions("w.wdl", max_cost=9.0, secret=()), bundle, ASKED)).max_cost == 9.0
