from __future__ import annotations

import pytest

from cromulent_wdl.backends.process.environment import command_environment


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
