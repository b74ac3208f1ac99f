"""Bubblewrap's command line for a task, and whether bubblewrap works here at all.

The command sees this machine's files read-only, except its own working directory and a private `/tmp` on disk.
Sockets of container engines and the usual places of credentials are covered. It has its own process ids, so
nothing that it starts outlives it, and dies with us. The network is this machine's.
"""

from __future__ import annotations

import functools
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

__all__ = ["Places", "Sandbox", "View", "arguments", "find_sandbox", "places"]

TEMPORARY = ("/tmp", "/var/tmp")
_SECRETS = (
    *(".aws", ".azure", ".boto", ".config/containers", ".config/gcloud", ".config/gh", ".config/git/credentials"),
    *(".config/rclone", ".docker", ".git-credentials", ".gnupg", ".kube", ".local/share/keyrings", ".netrc", ".npmrc"),
    *(".oci", ".password-store", ".pypirc", ".s3cfg", ".ssh", ".terraform.d"),
)
_SOCKETS = (
    *("/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/docker.sock", "/run/podman/podman.sock"),
    *("/var/run/docker.sock",),
)
# What Docker leaves to root in a container, but for making devices: enough for files of all owners and for
# package managers, not enough to mount, trace or load anything.
_ROOT_CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID"),
    *("SETPCAP", "SETUID", "SYS_CHROOT"),
)
# The first process of the sandbox: it reaps what the command orphans, so that the usage is counted and signals
# mean to the command what they mean elsewhere. It keeps the shell's remarks on them out of the command's stderr.
_INIT = ("/bin/sh", "-c", 'exec 3>&2 2>/dev/null; (exec "$@" 2>&3 3>&-); exit $?', "sh")
_PROBE_SECONDS = 10


class Places(msgspec.Struct, frozen=True):
    """What the sandbox covers on this machine; real paths."""

    temporary: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def cover(self, path: str) -> bool:
        """Tell whether what lies at the path is not to be seen in the sandbox."""
        return any(path == place or path.startswith(place + "/") for place in (*self.temporary, *self.directories))


class Sandbox(msgspec.Struct, frozen=True):
    """Bubblewrap as it works here."""

    program: str
    places: Places
    as_root: bool


class View(msgspec.Struct, frozen=True):
    """What one task sees of this machine's files beside what everybody may read."""

    directory: str
    """The call's directory as the command names it."""
    work: str
    """The real path of the working directory."""
    scratch: str
    """A directory of the task's own for its temporary files."""
    empty: str
    """An empty file that covers files."""
    inputs: tuple[tuple[str, str], ...] = ()
    """Pairs of a file or directory and the real path at which the command expects it, read-only."""
    gpu: bool = False


def arguments(sandbox: Sandbox, view: View, status: int) -> list[str]:
    """Return the command line that runs, in the sandbox, what is appended to it.

    `status` is a descriptor to which bubblewrap reports its child and how that ended.
    """
    covered = sandbox.places
    line = [sandbox.program, "--ro-bind", "/", "/", "--proc", "/proc"]
    line += ["--dev-bind", "/dev", "/dev"] if view.gpu else ["--dev", "/dev"]
    for place in covered.temporary:
        line += ["--bind", view.scratch, place]
    for place in covered.directories:
        line += ["--tmpfs", place]
    for place in covered.files:
        line += ["--ro-bind", view.empty, place]
    real, name = os.path.split(view.work)
    # As in a container the call's directory holds what belongs to the command, and what else it puts there is lost.
    line += ["--tmpfs", real]
    if real != view.directory and covered.cover(view.directory):
        line += ["--symlink", real, view.directory]
    line += ["--bind", view.work, view.work]
    if name != "work":
        line += ["--symlink", name, f"{real}/work"]
    for source, target in view.inputs:
        line += ["--ro-bind", source, target]
    if sandbox.as_root:
        line += ["--cap-drop", "ALL"]
        for capability in _ROOT_CAPABILITIES:
            line += ["--cap-add", f"CAP_{capability}"]
    line += ["--unshare-pid", "--unshare-ipc", "--as-pid-1", "--new-session", "--die-with-parent"]
    line += ["--json-status-fd", str(status), "--chdir", f"{view.directory}/work", "--"]
    return [*line, *_INIT]


def places(environ: Mapping[str, str], user: int, temporary: Sequence[str] = TEMPORARY) -> Places:
    """Return what there is to cover on this machine."""
    home = Path(environ.get("HOME") or "/nonexistent")
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}"
    engines = [
        address.removeprefix("unix://")
        for address in (environ.get("DOCKER_HOST", ""), environ.get("CONTAINER_HOST", ""))
        if address.startswith("unix://")
    ]
    replaced = _real(temporary)
    candidates = _real([*(home / secret for secret in _SECRETS), runtime, *_SOCKETS, *engines])
    outside = [path for path in candidates if not Places(replaced).cover(path)]
    directories = tuple(path for path in outside if os.path.isdir(path))
    uncovered = [path for path in outside if not Places(directories=directories).cover(path)]
    return Places(replaced, directories, tuple(path for path in uncovered if _is_file_or_socket(path)))


@functools.lru_cache(maxsize=1)
def find_sandbox() -> Sandbox | str:
    """Return bubblewrap as it works here, having tried it, or in a few words why it does not. Asked once."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed"
    sandbox = Sandbox(program, places(os.environ, os.getuid()), os.geteuid() == 0)
    with tempfile.TemporaryDirectory() as directory:
        root = os.path.realpath(directory)
        view = View(root, f"{root}/work", f"{root}/scratch", f"{root}/empty")
        os.mkdir(view.work)
        os.mkdir(view.scratch)
        Path(view.empty).touch()
        # It fails when a mount goes while it copies them all; a second time is no chance any more.
        failure = _try(sandbox, view) and _try(sandbox, view) and _try(sandbox, view)
    return f"bubblewrap does not work here ({failure})" if failure else sandbox


def _try(sandbox: Sandbox, view: View) -> str:
    read_end, write_end = os.pipe()
    try:
        tried = subprocess.run(
            [*arguments(sandbox, view, write_end), "/bin/sh", "-c", "exit 0"],
            pass_fds=(write_end,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        os.close(read_end)
        os.close(write_end)
    if tried.returncode == 0:
        return ""
    lines = tried.stderr.decode(errors="replace").split("\n")
    return next(filter(None, reversed(lines)), f"status {tried.returncode}").removeprefix("bwrap: ")


def _real(paths: Iterable[str | Path]) -> tuple[str, ...]:
    existing = dict.fromkeys(os.path.realpath(path) for path in paths if os.path.exists(path))
    return tuple(existing)


def _is_file_or_socket(path: str) -> bool:
    mode = os.stat(path).st_mode
    return stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
