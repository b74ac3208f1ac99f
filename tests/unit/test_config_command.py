import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cromulent_wdl.cli import config
from cromulent_wdl.config import Settings
from cromulent_wdl.errors import SettingsError


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MINIWDL_CFG", str(tmp_path / "miniwdl.cfg"))
    (tmp_path / "miniwdl.cfg").write_text("[file_io]\nroot = /\n")
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(config.command, arguments, catch_exceptions=False)


def _settings() -> dict[str, tuple[object, str]]:
    return {each["name"]: (each["value"], each["origin"]) for each in json.loads(invoke("--json").stdout)}


def test_every_setting_of_ours_is_shown_with_its_default() -> None:
    shown = _settings()
    for name in Settings.__struct_fields__:
        assert shown[name] == (json.loads(json.dumps(getattr(Settings(), name))), "default")


def test_a_value_says_where_it_came_from(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "miniwdl.cfg").write_text("[cromulent]\nsandbox = never\nbackend = podman\n[file_io]\nroot = /tmp\n")
    (place / "cromulent.toml").write_text('progress = "plain"\nsandbox = "always"\n')
    monkeypatch.setenv("CROMULENT_BACKEND", "process")
    monkeypatch.setenv("MINIWDL__SCHEDULER__TASK_CONCURRENCY", "3")
    shown = _settings()
    assert shown["backend"] == ("process", "environment CROMULENT_BACKEND")
    assert shown["sandbox"] == ("never", "~/miniwdl.cfg [cromulent]")
    assert shown["progress"] == ("plain", "~/cromulent.toml")
    assert shown["file_io.root"] == ("/tmp", "~/miniwdl.cfg [file_io]")
    assert shown["scheduler.task_concurrency"] == ("3", "environment MINIWDL__SCHEDULER__TASK_CONCURRENCY")
    assert not any(name.startswith("cromulent.") for name in shown)


def test_the_options_of_the_plugin_of_2020_are_understood(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "miniwdl.cfg").write_text(
        "[aws_fargate]\nefs_mountpoint = /mnt/efs\ndefault_memory_mb = 4096\ndefault_cpu_shares = 512\n"
    )
    monkeypatch.setenv("MINIWDL__AWS_FARGATE__EFS_ID", "fs-12345678")
    monkeypatch.setenv("MINIWDL__AWS_FARGATE__EFS_SECURITY_GROUP", "sg-1")
    shown, origin = _settings(), "miniwdl's [aws_fargate]"
    assert shown["file_system"] == ("fs-12345678", origin)
    assert shown["mount"] == ("/mnt/efs", origin)
    assert shown["security_group"] == ("sg-1", origin)
    assert shown["default_memory"] == (4096, origin)
    assert shown["default_cpu"] == (0.5, origin)
    monkeypatch.setenv("CROMULENT_MOUNT", "/files")
    assert _settings()["mount"] == ("/files", "environment CROMULENT_MOUNT")
    monkeypatch.setenv("MINIWDL__AWS_FARGATE__DEFAULT_CPU_SHARES", "many")
    with pytest.raises(SettingsError, match="default_cpu"):
        invoke("--json")


def test_of_miniwdls_options_those_are_shown_that_hold_in_a_run_and_are_not_its_defaults() -> None:
    theirs = {name: value for name, value in _settings().items() if "." in name}
    assert theirs == {
        "call_cache.backend": ("cromulent", "cromulent run"),
        "call_cache.get": ("true", "cromulent run"),
        "call_cache.put": ("true", "cromulent run"),
        "scheduler.container_backend": ("cromulent", "cromulent run"),
    }


def test_the_values_of_environment_variables_for_tasks_are_hidden(place: Path) -> None:
    (place / "miniwdl.cfg").write_text('[task_runtime]\nenv = {"TOKEN": "s3cret", "PASSED_ON": null}\n')
    for arguments in ((), ("--json",), ("task_runtime.env",), ("env",), ("env", "--json")):
        shown = invoke(*arguments)
        assert "TOKEN" in shown.stdout and "null" in shown.stdout
        assert "s3cret" not in shown.output


def test_the_table_is_for_people() -> None:
    lines = [" ".join(line.split()) for line in invoke().stdout.splitlines()]
    assert lines[0] == "SETTING VALUE FROM"
    assert "backend auto default" in lines
    assert "scheduler.container_backend cromulent cromulent run" in lines


def test_one_setting_is_its_value_alone_on_standard_output() -> None:
    shown = invoke("backend")
    assert shown.stdout == "auto\n"
    assert shown.stderr == (
        "the default\nWhere tasks run. auto takes the first of docker, podman and process that is there.\n"
    )
    assert invoke("file_io.root").stdout == invoke("root").stdout == "/\n"
    assert json.loads(invoke("backend", "--json").stdout)["value"] == "auto"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("bakend", "did you mean backend?"),
        ("dir", "did you mean call_cache.dir or download_cache.dir?"),
        ("zzz", "`cromulent config` lists the settings"),
    ],
)
def test_a_setting_that_does_not_exist(name: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=f"there is no setting '{name}'") as raised:
        invoke(name)
    assert raised.value.hint == hint


def test_a_value_that_cannot_be_is_an_error_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROMULENT_BACKEND", "docke")
    with pytest.raises(SettingsError, match="backend"):
        invoke()


def test_the_settings_are_shown_wherever_one_stands(place: Path) -> None:
    (place / "miniwdl.cfg").write_text("[file_io]\nroot = /nowhere\n")
    assert _settings()["file_io.root"] == ("/nowhere", "~/miniwdl.cfg [file_io]")
