"""Inputs of tasks on a shared file system: where each link leads in the task, and what is copied."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from cromulent_wdl.backends.fargate.copies import Asked, Copies
from cromulent_wdl.backends.fargate.staging import lead_back, stage_inputs
from cromulent_wdl.backends.fargate.window import FILES, Window
from cromulent_wdl.errors import MountFailed
from cromulent_wdl.model import Task
from cromulent_wdl.storage.digests import Digests
from cromulent_wdl.storage.shared import SharedFiles
from tests.fakes.attempts import run_task
from tests.fakes.clocks import FakeClock

OWNER = os.getuid()


class Site:
    """A shared file system, mounted here in a directory, with a run on it; and a directory elsewhere."""

    def __init__(self, top: Path, window: Window = Window(user=OWNER)) -> None:  # noqa: B008 - it is frozen
        self.mount, self.elsewhere = top / "efs", top / "elsewhere"
        self.run = self.mount / "runs" / "a run"
        for directory in (self.run, self.elsewhere):
            directory.mkdir(parents=True)
        self.shared = SharedFiles(self.mount, "/lab")
        self.window = window
        self.copies = Copies(self.shared, window, Digests())

    def task(self, *inputs: Path, call: str = "call-a") -> Task:
        return run_task(self.run, call, "true", inputs=inputs)

    def stage(self, *inputs: Path, call: str = "call-a") -> list[str]:
        """Return what the links say that a task finds its inputs by."""
        task = self.task(*inputs, call=call)
        stage_inputs(task, self.shared, self.window, self.copies, Asked())
        return [os.readlink(mount.container) for mount in task.inputs]

    def as_seen(self, path: str) -> Path:
        """Return where on this machine lies what a task sees under the path; both mounts are taken into account."""
        if Path(path).is_relative_to(self.run):
            return Path(path)
        inside = self.window.leads_to(path)
        assert inside is not None, f"a task would see its image's own {path}"
        here = self.shared.path_here(inside)
        assert here is not None
        return here


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def write(path: Path, text: str = "content", mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_an_input_within_the_run(site: Site) -> None:
    file = write(site.run / "call-before/work/x.bam", mode=0o600)
    assert site.stage(file) == [str(file)]


def test_an_input_elsewhere_on_the_file_system(site: Site) -> None:
    file = write(site.mount / "data/it's ü.bam")
    link = site.run / "link.bam"
    link.symlink_to(file)
    [seen] = site.stage(link)
    assert seen == f"{FILES}/lab/data/it's ü.bam"
    assert site.as_seen(seen) == file


def test_a_window_on_a_part_of_it(tmp_path: Path) -> None:
    site = Site(tmp_path, Window("/lab/data", OWNER))
    [seen] = site.stage(write(site.mount / "data/x"))
    assert seen == f"{FILES}/x"
    [copied] = site.stage(write(site.mount / "other/y"), call="call-b")
    assert Path(copied).is_relative_to(site.run), "beside the run no task would see it"
    assert site.as_seen(copied).read_text() == "content"


def test_an_input_from_elsewhere_is_copied_once(site: Site) -> None:
    first, second = (write(site.elsewhere / where / "x.bam") for where in ("1", "2"))
    [seen] = site.stage(first)
    copy = site.as_seen(seen)
    assert copy.read_text() == "content" and copy.name == "x.bam"
    assert not copy.is_relative_to(site.run) and stat.S_IMODE(copy.stat().st_mode) == 0o444
    assert site.stage(second, call="call-b") == [seen]
    assert site.stage(write(site.elsewhere / "3/y.bam"), call="call-c") == [seen]
    [changed] = site.stage(write(site.elsewhere / "4/x.bam", "CONTENT"), call="call-d")
    assert site.as_seen(changed).read_text() == "CONTENT"


def test_a_host_file_that_differs_in_the_image(site: Site) -> None:
    [seen] = site.stage(Path("/etc/passwd"))
    ours, theirs = Path("/etc/passwd").read_bytes(), site.as_seen(seen).read_bytes()
    assert hashlib.md5(ours, usedforsecurity=False).digest() == hashlib.md5(theirs, usedforsecurity=False).digest()


def test_many_copy_at_once(site: Site) -> None:
    file = write(site.elsewhere / "x", "x" * 3_000_000)
    makers = [Copies(site.shared, site.window, Digests()) for _ in range(4)]  # as if in four processes
    copies: list[str] = []
    threads = [
        threading.Thread(target=lambda of=of: copies.append(of.copy(str(file), site.run, Asked()))) for of in makers * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(copies) == 8 and len(set(copies)) == 1
    assert [each for each in (site.run.parent / ".cromulent").rglob("*") if each.is_file()] == [Path(copies[0])]


def test_what_is_not_everybodys_is_copied_into_the_run(site: Site) -> None:
    [seen] = site.stage(write(site.elsewhere / "secret", mode=0o640))
    assert Path(seen).is_relative_to(site.run)
    assert stat.S_IMODE(os.stat(seen).st_mode) == 0o400
    assert stat.S_IMODE(os.stat(Path(seen).parents[1]).st_mode) == 0o700
    assert not (site.run.parent / ".cromulent").exists()


def test_beside_the_runs_others_may_write_to_nothing_is_shared(site: Site) -> None:
    store = site.run.parent / ".cromulent/inputs"
    store.mkdir(parents=True)
    store.chmod(0o777)
    [seen] = site.stage(write(site.elsewhere / "x"))
    assert Path(seen).is_relative_to(site.run)


@pytest.mark.parametrize(("user", "mode", "linked"), [(None, 0o600, False), (None, 0o644, True), (OWNER, 0o600, True)])
def test_what_cannot_be_read_through_the_window_is_copied(
    tmp_path: Path, user: int | None, mode: int, linked: bool
) -> None:
    site = Site(tmp_path, Window(user=user))
    [seen] = site.stage(write(site.mount / "data/x", mode=mode))
    assert seen.startswith(FILES) == linked
    assert site.as_seen(seen).read_text() == "content"


def test_directories(site: Site) -> None:
    inside, closed, leading_out, absolute = (site.mount / f"data/{name}" for name in ("i", "c", "o", "a"))
    inside = site.run / "call-before/work/tree"
    for directory in (inside, closed, leading_out, absolute):
        write(directory / "sub/file")
        (directory / "link").symlink_to("sub/file")
    (leading_out / "out").symlink_to("../../data/c/sub")
    (absolute / "out").symlink_to(absolute / "sub/file")
    (absolute / "nowhere").symlink_to("/nowhere")
    elsewhere = site.elsewhere / "tree"
    write(elsewhere / "deep/er/file")
    (elsewhere / "deep/up").symlink_to("..")
    seen = site.stage(inside, closed, leading_out, absolute, elsewhere)
    assert seen[:2] == [str(inside), f"{FILES}/lab/data/c"]
    for copy in map(site.as_seen, seen[2:]):
        assert copy.is_relative_to(site.run.parent / ".cromulent")
        assert copy.name in ("o", "a", "tree")
    assert (site.as_seen(seen[2]) / "out/file").read_text() == "content"
    assert not (site.as_seen(seen[2]) / "out").is_symlink()
    assert (site.as_seen(seen[3]) / "out").read_text() == "content"
    assert (site.as_seen(seen[4]) / "deep/er/file").read_text() == "content"
    assert os.readlink(site.as_seen(seen[4]) / "deep/up") == ".."
    assert site.stage(elsewhere, call="call-again") == [seen[4]]


def test_a_private_file_in_a_directory_makes_it_private(site: Site) -> None:
    write(site.elsewhere / "tree/secret", mode=0o600)
    [seen] = site.stage(site.elsewhere / "tree")
    assert Path(seen).is_relative_to(site.run)
    assert stat.S_IMODE((Path(seen) / "secret").stat().st_mode) == 0o400


def test_an_executable_stays_one(site: Site) -> None:
    [seen] = site.stage(write(site.elsewhere / "tool", mode=0o755))
    assert stat.S_IMODE(site.as_seen(seen).stat().st_mode) == 0o555
    [other] = site.stage(write(site.elsewhere / "text"), call="call-b")
    assert stat.S_IMODE(site.as_seen(other).stat().st_mode) == 0o444


def test_inputs_that_miniwdl_copied_need_nothing(site: Site) -> None:
    task = replace(site.task(write(site.elsewhere / "x")), inputs_copied=True)
    stage_inputs(task, site.shared, site.window, site.copies, Asked())
    assert list(task.work.iterdir()) == []


def test_row_35_more_tasks_use_an_input_than_it_could_have_links(site: Site) -> None:
    there, elsewhere = write(site.mount / "reference.fa"), write(site.elsewhere / "other.fa")
    seen = {tuple(site.stage(there, elsewhere, call=f"call-{number}")) for number in range(200)}
    assert len(seen) == 1
    assert [site.as_seen(path).stat().st_nlink for path in seen.pop()] == [1, 1]


def test_an_input_that_is_gone(site: Site) -> None:
    file = write(site.elsewhere / "x")
    task = site.task(file)
    file.unlink()
    with pytest.raises(MountFailed, match="elsewhere/x"):
        stage_inputs(task, site.shared, site.window, site.copies, Asked())


def test_staging_again_after_a_head_has_died(site: Site) -> None:
    task = site.task(write(site.mount / "x"))
    for _ in range(2):
        stage_inputs(task, site.shared, site.window, site.copies, Asked())
    assert os.readlink(task.inputs[0].container) == f"{FILES}/lab/x"


def test_told_to_stop_while_copying(tmp_path: Path) -> None:
    site = Site(tmp_path)
    told: list[str] = []
    with pytest.raises(InterruptedError):
        site.copies.copy(str(write(site.elsewhere / "x", "x" * 100)), site.run, Asked(lambda: True, told.append))
    assert told == [f"copying {site.elsewhere}/x (100 bytes) onto the shared file system"]
    assert [each for each in (site.run.parent / ".cromulent").rglob("*") if each.is_file()] == []


KILLED = """
import os, signal, sys
from pathlib import Path
from cromulent_wdl.backends.fargate.copies import Asked, Copies
from cromulent_wdl.backends.fargate.window import Window
from cromulent_wdl.storage.digests import Digests
from cromulent_wdl.storage.shared import SharedFiles
mount, run, file = map(Path, sys.argv[1:])
seen = []
def stopping():
    seen.append(1)
    if len(seen) == 5:  # three for the digest, then in the copy
        os.kill(os.getpid(), signal.SIGKILL)
    return False
Copies(SharedFiles(mount), Window(user=os.getuid()), Digests()).copy(str(file), run, Asked(stopping))
"""


def test_a_copy_whose_maker_is_killed_leaves_nothing_for_ever(site: Site) -> None:
    file = write(site.elsewhere / "x", "x" * 3_000_000)
    command = [sys.executable, "-c", KILLED, str(site.mount), str(site.run), str(file)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    store = site.run.parent / ".cromulent"
    assert [each for each in store.rglob(".*") if each.is_dir()], "it was not killed while it copied"
    [seen] = site.stage(file)
    assert site.as_seen(seen).stat().st_size == 3_000_000
    assert [each for each in store.rglob(".*") if each.is_dir()] == []


def test_half_a_copy_of_another_host_is_left_alone_for_a_day(site: Site) -> None:
    clock = FakeClock(start=time.time())  # noqa: TID251 - the file system's time
    copies = Copies(site.shared, site.window, Digests(), clock)
    home = Path(copies.copy(str(write(site.elsewhere / "x")), site.run, Asked())).parent
    draft = home.parent / ".another-host.1.abc"
    for hours, there in ((23, True), (25, False)):
        write(draft / "y")
        shutil.rmtree(home)
        clock.time = time.time() + hours * 3600  # noqa: TID251 - the file system's time
        copies.copy(str(site.elsewhere / "x"), site.run, Asked())
        assert draft.exists() == there


def test_links_of_a_task_lead_to_the_same_files_on_the_head(site: Site) -> None:
    here, there = write(site.run / "call-before/work/x"), write(site.mount / "data/y.bam")
    copied = write(site.elsewhere / "z", "z")
    task = site.task(here, there, copied)
    stage_inputs(task, site.shared, site.window, site.copies, Asked())
    x, y, z = (mount.container for mount in task.inputs)
    (task.work / "linked").symlink_to(y)  # ln -s ~{y} linked
    (task.work / "relative").symlink_to(os.path.relpath(z, task.work))
    (task.work / "sub").mkdir()
    (task.work / "sub/moved").symlink_to(os.readlink(y))  # mv ~{y} sub/moved, cp -P
    (task.work / "nowhere").symlink_to("/etc/hostname-of-the-image")
    lead_back(task, site.shared, site.window)
    assert [Path(path).read_text() for path in (x, y, z)] == ["content", "content", "z"]
    assert (task.work / "linked").samefile(there) and (task.work / "sub/moved").samefile(there)
    assert (task.work / "relative").read_text() == "z"
    assert os.readlink(task.work / "nowhere") == "/etc/hostname-of-the-image"
    assert (os.readlink(x), os.readlink(z)) == (str(here), str(copied))


def test_links_into_a_copied_directory_lead_to_the_original(site: Site) -> None:
    write(site.elsewhere / "tree/sub/file")
    task = site.task(site.elsewhere / "tree")
    stage_inputs(task, site.shared, site.window, site.copies, Asked())
    (task.work / "file").symlink_to(os.readlink(task.inputs[0].container) + "/sub/file")
    lead_back(task, site.shared, site.window)
    assert os.readlink(task.work / "file") == str(site.elsewhere / "tree/sub/file")
