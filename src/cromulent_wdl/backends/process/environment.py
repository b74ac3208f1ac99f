"""Which of our own environment variables a command inherits: what tells it about this machine and its tools.

An image sets a container's variables; here nobody does, so those pass by which commands are found and by which
installed languages find their libraries. Everything else stays out, above all what opens doors (`AWS_*`, tokens,
`SSH_AUTH_SOCK`, proxies with passwords in them): a workflow that needs one is given it by name, with `--env`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..heads import MARK

__all__ = ["command_environment", "home_in_sandbox"]

_NAMES = frozenset(
    {
        *("HOME", "LOGNAME", "PATH", "SHELL", "USER"),
        *("LANG", "LANGUAGE", "LOCALE_ARCHIVE", "TZ", "TZDIR"),
        *("DYLD_FALLBACK_LIBRARY_PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH"),
        *("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"),
        *("SSL_CERT_DIR", "SSL_CERT_FILE", "NIX_SSL_CERT_FILE"),
        *("JAVA_HOME", "JULIA_DEPOT_PATH", "PERL5LIB", "PYTHONPATH", "PYTHONUSERBASE", "VIRTUAL_ENV"),
        *("R_HOME", "R_LIBS", "R_LIBS_SITE", "R_LIBS_USER"),
    }
)
_PREFIXES = ("CONDA_", "LC_", "MAMBA_")
_SECRETS = ("KEY", "PASSWORD", "SECRET", "TOKEN")


def command_environment(ours: Mapping[str, str], given: Mapping[str, str], head: str) -> dict[str, str]:
    """Return the command's environment: what passes of ours, then what the task is given, and the head's mark."""
    return {**{name: value for name, value in ours.items() if _passes(name)}, **given, MARK: head}


_HOME_IN_SANDBOX = "/tmp"
_INSTALLED_AT_HOME = {
    "PYTHONUSERBASE": (".local", "{home}/.local"),
    "R_LIBS_USER": ("R", "{home}/R/%p-library/%v"),  # R fills in platform and version
    "JULIA_DEPOT_PATH": (".julia", "{own}/.julia:{home}/.julia"),
}
"""Where languages look for what a user has installed if not told otherwise: below which directory, and what to tell."""


def home_in_sandbox(ours: Mapping[str, str]) -> dict[str, str]:
    """Return what gives a command a home of its own, which can be written, as it has in a container.

    The user's is read-only there. What languages have installed in it is still found.
    """
    home = ours.get("HOME")
    told = {"HOME": _HOME_IN_SANDBOX}
    for name, (directory, text) in _INSTALLED_AT_HOME.items():
        if home and name not in ours and os.path.isdir(os.path.join(home, directory)):
            told[name] = text.format(home=home, own=_HOME_IN_SANDBOX)
    return told


def _passes(name: str) -> bool:
    if name in _NAMES:
        return True
    return name.startswith(_PREFIXES) and not any(secret in name for secret in _SECRETS)
