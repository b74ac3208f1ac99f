"""One container as a process: started in its bubble, signalled, awaited."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import BinaryIO

import psutil

from ..ecs.seam import ContainerExit, ContainerPlan, Launch
from .bubble import CGROUPS, Bubble, arguments
from .surroundings import CannotStart, Places
from .volumes import user_of

__all__ = ["ProcessChild", "spawn"]

_CHUNK = 65536
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ProcessChild:
    """A container's process, by bubblewrap, which tells which process of ours is the first one inside."""

    def __init__(self, plan: ContainerPlan, process: subprocess.Popen[bytes], answers: BinaryIO) -> None:
        self.plan = plan
        first = answers.readline()
        self._pid: int | None = json.loads(first)["child-pid"] if first else None
        self.runtime_id = str(self._pid)
        self._process = process
        self._answers = answers

    def output(self) -> Iterator[tuple[int, bytes]]:
        """Yield what it says, by one stream, so that all lines come in the order in which they were written."""
        assert self._process.stdout is not None  # it was asked for
        while chunk := os.read(self._process.stdout.fileno(), _CHUNK):
            yield 1, chunk

    def wait(self) -> ContainerExit:
        """Return its end, with the status as a shell would have it."""
        status = self._process.wait()
        return ContainerExit(status if status >= 0 else 128 - status)

    def discard(self) -> None:
        """Close what bubblewrap writes to until its end."""
        self._answers.close()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def terminate(self) -> None:
        """Send SIGTERM to the container's main process, which as process 1 may not heed it, as anywhere."""
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if self._pid is None or self._process.poll() is not None:
                return
            first = psutil.Process(self._pid)
            mains = first.children() if self.plan.init else [first]
            for main in mains[:1]:
                main.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill everything in the container; with its process 1 all the rest goes."""
        with suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.kill(self._process.pid if self._pid is None else self._pid, signal.SIGKILL)


def spawn(launch: Launch, plan: ContainerPlan, places: Places, given: Mapping[str, str]) -> ProcessChild:
    """Start a container on the calling thread, with which it dies; raises CannotStart."""
    command = [*(plan.entry_point or ()), *(plan.command or ())]
    if not command:
        raise CannotStart("CannotStartContainerError: the process data plane does not know the image's own command")
    user, group = _user(plan, launch)
    status, reported = os.pipe()
    try:
        bubble = _bubble(plan, places, user)
        process = subprocess.Popen(
            [*arguments(bubble, reported), *command],
            env={"PATH": _PATH, "HOSTNAME": launch.task_id[:12], **given, **plan.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[reported],
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=None if user is None else (),
        )
    except OSError as error:
        os.close(status)
        raise CannotStart(f"CannotStartContainerError: {error}") from error
    finally:
        os.close(reported)
    return ProcessChild(plan, process, os.fdopen(status, "rb"))


def _user(plan: ContainerPlan, launch: Launch) -> tuple[int | None, int | None]:
    """Return the user and group to become; only root can become another."""
    if os.geteuid() != 0:
        return None, None
    if plan.user:
        name, _, group = plan.user.partition(":")
        if not name.isdecimal() or (group and not group.isdecimal()):
            raise CannotStart(
                f"CannotStartContainerError: unable to find user {plan.user}: only numbers are known here"
            )
        return int(name), int(group or name)
    point = user_of(launch, plan.name)
    return (None, None) if point is None else point


def _bubble(plan: ContainerPlan, places: Places, user: int | None) -> Bubble:
    own = None
    if places.disk is not None:
        places.disk.prepare(plan.name, user or 0)
        own = str(places.disk.root(plan.name)), str(places.disk.temporary(plan.name))
    mounts = tuple((str(places.volumes[name]), path, read_only) for name, path, read_only in plan.mounts)
    paths = [path for _, path, _ in mounts] + [path for path, _ in plan.tmpfs]
    return Bubble(
        mounts=mounts,
        tmpfs=plan.tmpfs,
        tops={entry.name: os.readlink(entry.path) if entry.is_symlink() else None for entry in os.scandir("/")},
        existing=frozenset(path for path in paths if os.path.isdir(path)),
        working_directory=plan.working_directory or "/",
        as_root=os.geteuid() == 0 and not user,
        init=plan.init,
        own=own,
        cgroups=os.path.isdir(CGROUPS),
    )
