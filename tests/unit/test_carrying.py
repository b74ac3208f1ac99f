"""What goes with a run into the cloud, and on into the run that repeats it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from WDL.runtime.config import Loader

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
    cfg = configured(options)
    return Bundle("w", "e", {}, options=options_to_carry(options, cfg), settings=settings_to_carry(settings_of(cfg)))


def configured(options: RunOptions) -> Loader:
    return effective(options, logging.getLogger("test"))


def settings_after(options: RunOptions) -> Settings:
    return settings_of(configured(options)).settings


def test_what_is_only_here_is_carried_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "defaults.json").write_text('{"maxRetries": 2}')
    monkeypatch.setenv("TOKEN", "t")
    options = RunOptions("w.wdl", runtime_defaults=str(tmp_path / "defaults.json"), env=("TOKEN", "A=1"), verbose=True)
    assert options_to_carry(options, configured(options)) == {
        "runtime_defaults": '{"maxRetries": 2}',
        "env": ("TOKEN=t", "A=1"),
    }
    with pytest.raises(UsageError, match="NOWHERE"):
        options_to_carry(RunOptions("w.wdl", env=("NOWHERE",)), configured(RunOptions("w.wdl")))


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


def test_miniwdls_own_configuration_goes_with_the_run_and_into_the_one_that_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE", "from here")
    monkeypatch.setenv("MINIWDL__TASK_RUNTIME__COMMAND_SHELL", "/bin/sh -eu")
    file = tmp_path / "miniwdl.cfg"
    file.write_text(
        "[scheduler]\nfail_fast = false\n[call_cache]\ndir = /here\n"
        "[task_runtime]\ncommand_preamble = set -o pipefail\n"
        """defaults = {"docker": "acme/tools:1"}\n"""
        """env = {"A": "of the file", "B": "b", "HERE": null, "NOWHERE": null}\n"""
    )
    bundle = bundle_of(RunOptions("w.wdl", cfg=str(file), env=("A=1",)))
    assert bundle.options["env"] == ("B=b", "HERE=from here", "A=1")
    monkeypatch.delenv("MINIWDL__TASK_RUNTIME__COMMAND_SHELL")
    again = carried_on(RunOptions("w.wdl"), bundle, ASKED)
    for options in (
        RunOptions("w.wdl", **bundle.options),
        again,
        carried_on(RunOptions("w.wdl"), bundle_of(again), ASKED),
    ):
        cfg = configured(options)
        runtime = cfg["task_runtime"]
        assert not cfg["scheduler"].get_bool("fail_fast") and cfg["call_cache"]["dir"] != "/here"
        assert (runtime["command_preamble"], runtime["command_shell"]) == ("set -o pipefail", "/bin/sh -eu")
        assert runtime.get_dict("defaults") == {"docker": "acme/tools:1"}
        assert runtime.get_dict("env") == {"A": "1", "B": "b", "HERE": "from here"}
    monkeypatch.setenv("MINIWDL__TASK_RUNTIME__COMMAND_SHELL", "/bin/bash -e")
    assert configured(again)["task_runtime"]["command_shell"] == "/bin/bash -e"
