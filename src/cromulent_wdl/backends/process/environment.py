"""Which of our own environment variables a command inherits: what tells it about this machine and its tools.

An image sets a container's variables; here nobody does, so those pass by which commands are found and by which
installed languages find their libraries. Everything else stays out, above all what opens doors (`AWS_*`, tokens,
`SSH_AUTH_SOCK`, proxies with passwords in them): a workflow that needs one is given it by name, with `--env`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..heads import MARK

__all__ = ["command_environment"]

_NAMES = frozenset(
    {
        *("HOME", "LOGNAME", "PATH", "SHELL", "USER"),
        *("LANG", "LANGUAGE", "LOCALE_ARCHIVE", "TZ", "TZDIR"),
        *("DYLD_FALLBACK_LIBRARY_PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH"),
        *("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"),
        *("SSL_CERT_DIR", "SSL_CERT_FILE", "NIX_SSL_CERT_FILE"),
        *("JAVA_HOME", "JULIA_DEPOT_PATH", "PERL5LIB", "PYTHONPATH", "VIRTUAL_ENV"),
        *("R_HOME", "R_LIBS", "R_LIBS_SITE", "R_LIBS_USER"),
    }
)
_PREFIXES = ("CONDA_", "LC_", "MAMBA_")
_SECRETS = ("KEY", "PASSWORD", "SECRET", "TOKEN")


def command_environment(ours: Mapping[str, str], given: Mapping[str, str], head: str) -> dict[str, str]:
    """Return the command's environment: what passes of ours, then what the task is given, and the head's mark."""
    return {**{name: value for name, value in ours.items() if _passes(name)}, **given, MARK: head}


def _passes(name: str) -> bool:
    if name in _NAMES:
        return True
    return name.startswith(_PREFIXES) and not any(secret in name for secret in _SECRETS)
