"""An ordinary user, where tests are run by root; and a Podman of his own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.engine import Engine, connect
from cromulent_wdl.errors import EngineUnavailable

__all__ = ["NOBODY", "home_of", "own_podman", "user"]

NOBODY = 65534
"""There on every machine, with a name, which the helpers that map users insist on."""
SUBORDINATES = "nobody:300000:65536\n"
CONTAINERS_CONF = """\
[containers]
default_ulimits = []
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
"""
# In namespaces of its own, where /etc/subuid says what it needs. The shell stays, as root, for all to die with it: a
# change of user would forget to.
SERVICE = """
mount --bind "$1/subordinates" /etc/subuid && mount --bind "$1/subordinates" /etc/subgid &&
setpriv --reuid="$2" --regid="$2" --clear-groups podman system service --time=0 "unix://$1/run/podman.sock"
exit
"""
SECONDS_TO_START = 60


@contextmanager
def user(uid: int, *groups: int) -> Iterator[None]:
    """Be the user for the block."""
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


@contextmanager
def home_of(uid: int) -> Iterator[Path]:
    """Make a directory of the user's, on a path that he may go."""
    with tempfile.TemporaryDirectory(prefix="home-") as directory:
        os.chown(directory, uid, uid)
        yield Path(directory)


@contextmanager
def own_podman() -> Iterator[Engine]:
    """Run Podman as nobody, and connect to it."""
    directory = Path(tempfile.mkdtemp(prefix="podman-"))
    directory.chmod(0o755)
    for name in ("home", "run"):
        (directory / name).mkdir(mode=0o700)
        os.chown(directory / name, NOBODY, NOBODY)
    (directory / "subordinates").write_text(SUBORDINATES)
    (directory / "containers.conf").write_text(CONTAINERS_CONF)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory / "home"),
        "XDG_RUNTIME_DIR": str(directory / "run"),
        "CONTAINERS_CONF": str(directory / "containers.conf"),
    }
    command = ["unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "sh", "-c", SERVICE, "sh"]
    with (directory / "log").open("wb") as log:
        # Elsewhere than here, where the user may not be allowed to go.
        service = subprocess.Popen([*command, directory, str(NOBODY)], cwd="/", env=environment, stdout=log, stderr=log)
    try:
        with closing(_connect(service, directory)) as engine:
            yield engine
    finally:
        service.kill()
        service.wait(60)
        shutil.rmtree(directory, ignore_errors=True)


def _connect(service: subprocess.Popen[bytes], directory: Path) -> Engine:
    deadline = SYSTEM.monotonic() + SECONDS_TO_START
    while service.poll() is None and SYSTEM.monotonic() < deadline:
        try:
            return connect("podman", f"unix://{directory}/run/podman.sock")
        except EngineUnavailable:
            SYSTEM.sleep(0.1)
    raise AssertionError(f"Podman did not start: {(directory / 'log').read_text()}")
