from pathlib import Path

import pytest

from cromulent_wdl.config import Origin, Settings, find_project_file, resolve
from cromulent_wdl.config.settings import help_of
from cromulent_wdl.errors import SettingsError

REFERENCE = (Path(__file__).parents[2] / "docs/reference/settings.md").read_text()


def test_without_any_source_the_defaults_hold_and_say_so() -> None:
    resolved = resolve(flags={}, environ={})
    assert resolved.settings == Settings()
    assert set(resolved.origins.values()) == {"default"}


def test_each_source_is_overruled_by_the_ones_before_it(tmp_path: Path) -> None:
    project = tmp_path / "cromulent.toml"
    project.write_text('backend = "podman"\nsandbox = "never"\npull_attempts = 2\nstop_grace = 5\n')
    resolved = resolve(
        flags={"backend": "process", "progress": None},
        environ={"CROMULENT_SANDBOX": "always", "MINIWDL__CROMULENT__PULL_ATTEMPTS": "9", "CROMULENT_TUNING": "off"},
        miniwdl=Origin(
            "miniwdl.cfg [cromulent]", {"pull_attempts": "3", "backend": "docker", "process_for_images": "true"}
        ),
        project_file=project,
    )
    settings = resolved.settings
    assert (settings.backend, settings.sandbox, settings.pull_attempts, settings.stop_grace) == (
        "process",
        "always",
        9,
        5,
    )
    assert settings.process_for_images is True
    assert resolved.origins["backend"] == "flag"
    assert resolved.origins["sandbox"] == "environment CROMULENT_SANDBOX"
    assert resolved.origins["pull_attempts"] == "environment MINIWDL__CROMULENT__PULL_ATTEMPTS"
    assert resolved.origins["process_for_images"] == "miniwdl.cfg [cromulent]"
    assert resolved.origins["stop_grace"] == str(project)
    assert resolved.origins["progress"] == "default"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"CROMULENT_BAKEND": "docker"}, "there is no setting 'bakend' (environment CROMULENT_BAKEND)"),
        ({"CROMULENT_BACKEND": "dokcer"}, "setting 'backend' cannot be 'dokcer' (environment CROMULENT_BACKEND)"),
        ({"CROMULENT_PULL_ATTEMPTS": "0"}, "setting 'pull_attempts' cannot be '0'"),
        ({"CROMULENT_PROCESS_FOR_IMAGES": "perhaps"}, "setting 'process_for_images' cannot be 'perhaps'"),
    ],
)
def test_an_unknown_name_or_value_is_refused_naming_its_source(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        resolve(flags={}, environ=environ)
    assert said in str(error.value)
    assert error.value.hint


def test_a_misspelt_setting_gets_a_suggestion() -> None:
    with pytest.raises(SettingsError) as error:
        resolve(flags={}, environ={"CROMULENT_BAKEND": "docker"})
    assert error.value.hint == "did you mean 'backend'?"


def test_an_overruled_source_is_checked_all_the_same() -> None:
    with pytest.raises(SettingsError, match="sandbox"):
        resolve(flags={"sandbox": "auto"}, environ={"CROMULENT_SANDBOX": "maybe"})


def test_a_broken_project_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cromulent.toml").write_text("backend = ")
    with pytest.raises(SettingsError, match=r"cromulent\.toml cannot be read"):
        resolve(flags={}, environ={}, project_file=tmp_path / "cromulent.toml")


def test_the_nearest_project_file_above_is_found(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_project_file(tmp_path / "a" / "b") in (None, find_project_file(tmp_path))
    (tmp_path / "cromulent.toml").touch()
    assert find_project_file(tmp_path / "a" / "b") == tmp_path / "cromulent.toml"
    (tmp_path / "a" / "cromulent.toml").touch()
    assert find_project_file(tmp_path / "a" / "b") == tmp_path / "a" / "cromulent.toml"


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_every_setting_has_help_and_a_row_in_the_reference(name: str) -> None:
    assert help_of(name)
    assert f"| `{name}` |" in REFERENCE
