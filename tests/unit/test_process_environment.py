from __future__ import annotations

from pathlib import Path

import pytest

from cromulent_wdl.backends.process.environment import command_environment, home_in_sandbox


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "CONDA_PREFIX", "R_LIBS_USER", "JAVA_HOME"]
)
def test_what_leads_to_tools_passes(name: str) -> None:
    assert command_environment({name: "value"}, {}, "a_head")[name] == "value"


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "SSH_AUTH_SOCK", "GITHUB_TOKEN", "DOCKER_HOST", "https_proxy"),
        *("TMPDIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "PWD", "CONDA_TOKEN", "MAMBA_API_KEY", "BASH_ENV"),
    ],
)
def test_what_opens_doors_stays_out(name: str) -> None:
    assert name not in command_environment({name: "value"}, {}, "a_head")


def test_what_the_task_is_given_wins_but_for_the_mark() -> None:
    environment = command_environment(
        {"PATH": "/bin", "LANG": "C"}, {"PATH": "/opt/bin", "AWS_PROFILE": "lab", "CROMULENT_HEAD": "forged"}, "a_head"
    )
    assert environment == {"PATH": "/opt/bin", "LANG": "C", "AWS_PROFILE": "lab", "CROMULENT_HEAD": "a_head"}


def test_a_sandboxed_command_has_a_home_of_its_own_and_finds_what_is_installed_in_the_users(tmp_path: Path) -> None:
    assert home_in_sandbox({"HOME": str(tmp_path)}) == {"HOME": "/tmp"}
    for directory in (".local", ".julia", "R"):
        (tmp_path / directory).mkdir()
    assert home_in_sandbox({"HOME": str(tmp_path), "JULIA_DEPOT_PATH": "/lab/julia"}) == {
        "HOME": "/tmp",
        "PYTHONUSERBASE": f"{tmp_path}/.local",
        "R_LIBS_USER": f"{tmp_path}/R/%p-library/%v",
    }
    assert home_in_sandbox({}) == {"HOME": "/tmp"}
