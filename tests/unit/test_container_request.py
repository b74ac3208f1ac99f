"""From a task to its container, and from what a container left to the task's ending. All pure."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from cromulent_wdl import errors
from cromulent_wdl.backends.container.decode import Evidence, outcome_of, outcome_of_error
from cromulent_wdl.backends.container.request import Invoker, refusal, repair_request, task_request
from cromulent_wdl.backends.figures import Figures
from cromulent_wdl.engine import Bind, EngineFacts, Image
from cromulent_wdl.model import Ending, Mount, Resources, Task, Usage

MIB = 1024 * 1024
CALL = Path("/runs/r/call-x")
INSIDE = "/mnt/miniwdl_task_container"
TASK = Task(
    run_id="r",
    call="x",
    name="x",
    attempt=1,
    directory=CALL,
    work=CALL / "work",
    command=CALL / "command",
    stdout=CALL / "stdout.txt",
    stderr=CALL / "stderr.txt",
    container_directory=INSIDE,
    images=("lab/tool:1",),
    inputs=(Mount(Path("/data/a b"), f"{INSIDE}/work/_miniwdl_inputs/0/a b"),),
)
FACTS = EngineFacts("docker", "28.2.2", "unix:///d.sock", cores=4, memory=8_000_000_000)
ROOTLESS = replace(FACTS, rootless=True)
IMAGE = Image("lab/tool:1", "sha256:1", "sha256:2")
USER = Invoker(1000, 1001, "head")
ROOT = Invoker(0, 0, "head")


def test_binds() -> None:
    assert task_request(TASK, IMAGE, FACTS, USER, "u").binds == (
        Bind(f"{CALL}/command", f"{INSIDE}/command"),
        Bind(f"{CALL}/stdout.txt", f"{INSIDE}/stdout.txt", writable=True),
        Bind(f"{CALL}/stderr.txt", f"{INSIDE}/stderr.txt", writable=True),
        Bind(f"{CALL}/usage.txt", f"{INSIDE}/usage.txt", writable=True),
        Bind(f"{CALL}/work", f"{INSIDE}/work", writable=True),
        Bind("/data/a b", f"{INSIDE}/work/_miniwdl_inputs/0/a b"),
    )
    copied = msgspec.structs.replace(TASK, inputs_copied=True)
    assert len(task_request(copied, IMAGE, FACTS, USER, "u").binds) == 5


def test_the_image_is_asked_for_by_its_id_and_named_by_a_label() -> None:
    request = task_request(TASK, IMAGE, FACTS, USER, "u")
    assert request.image == "sha256:1"
    assert request.labels == {
        "cromulent.head": "head",
        "cromulent.run": "r",
        "cromulent.call": "x",
        "cromulent.image": "lab/tool:1",
    }


@pytest.mark.parametrize(
    ("declared", "kept", "limit"),
    [
        (Resources(), 0, 0),
        (Resources(memory=64 * MIB), 64 * MIB, 0),
        (Resources(memory=64 * MIB, memory_limit=128 * MIB), 64 * MIB, 128 * MIB),
        (Resources(memory=64 * MIB, memory_limit=32 * MIB), 32 * MIB, 32 * MIB),
        (Resources(memory=1, memory_limit=1), 6 * MIB, 6 * MIB),
    ],
)
def test_memory(declared: Resources, kept: int, limit: int) -> None:
    request = task_request(msgspec.structs.replace(TASK, resources=declared), IMAGE, FACTS, USER, "u")
    assert (request.memory, request.memory_limit) == (kept, limit)


def test_an_engine_is_not_asked_for_limits_that_it_cannot_hold() -> None:
    task = msgspec.structs.replace(TASK, resources=Resources(cpu=5, memory=64 * MIB, memory_limit=64 * MIB, gpu=True))
    able = task_request(task, IMAGE, replace(FACTS, gpu=True), USER, "u")
    unable = task_request(task, IMAGE, replace(FACTS, limits_cpu=False, limits_memory=False), USER, "u")
    assert (able.cpu, able.memory_limit, able.gpu) == (4, 64 * MIB, True), "no more cores than it has"
    assert (unable.cpu, unable.memory, unable.memory_limit, unable.gpu) == (0, 0, 0, False)


@pytest.mark.parametrize(
    ("facts", "invoker", "as_user", "user", "groups", "owner"),
    [
        (FACTS, USER, False, "", ("1001",), "1000:1001"),
        (FACTS, USER, True, "1000:1001", ("1001",), ""),
        (FACTS, ROOT, False, "", ("0",), ""),
        (FACTS, Invoker(1000, 2**31, "head"), False, "", (), f"1000:{2**31}"),
        (ROOTLESS, USER, False, "", ("0",), "0:0"),
        (ROOTLESS, USER, True, "0:0", ("0",), ""),
    ],
)
def test_users(
    facts: EngineFacts, invoker: Invoker, as_user: bool, user: str, groups: tuple[str, ...], owner: str
) -> None:
    request = task_request(msgspec.structs.replace(TASK, as_user=as_user), IMAGE, facts, invoker, "u")
    assert (request.user, request.groups) == (user, groups)
    assert request.entrypoint[3:5] == ("cromulent", owner)


def test_ownership_that_is_to_be_kept() -> None:
    request = task_request(msgspec.structs.replace(TASK, return_ownership=False), IMAGE, FACTS, USER, "u")
    assert request.entrypoint[4] == ""


def test_the_repair_container_sees_the_working_directory_alone() -> None:
    request = repair_request(TASK, IMAGE, ROOTLESS, USER, "u")
    assert request.binds == (Bind(f"{CALL}/work", f"{INSIDE}/work", writable=True),)
    assert (request.user, request.entrypoint[-1], request.network) == ("0:0", "0:0", "none")


def test_selinux() -> None:
    assert task_request(TASK, IMAGE, FACTS, USER, "u").confined
    assert not task_request(TASK, IMAGE, replace(FACTS, selinux=True), USER, "u").confined


@pytest.mark.parametrize("call", ["align[2]", "ünï cødé", "-." * 90, "x" * 500, ""])
def test_names_are_such_as_engines_take(call: str) -> None:
    task = msgspec.structs.replace(TASK, call=call, attempt=2)
    name = task_request(task, IMAGE, FACTS, USER, "abcd").name
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,126}", name)
    assert name.endswith("-2-abcd")


@pytest.mark.parametrize(
    ("task", "invoker", "words"),
    [
        (msgspec.structs.replace(TASK, images=()), USER, "names no image"),
        (msgspec.structs.replace(TASK, as_user=True), Invoker(2**31, 1, "head"), "beyond the numbers"),
    ],
)
def test_refusals(task: Task, invoker: Invoker, words: str) -> None:
    assert words in (refusal(task, FACTS, invoker) or "")


def test_what_is_not_refused() -> None:
    assert refusal(TASK, FACTS, USER) is None
    assert refusal(msgspec.structs.replace(TASK, images=(), dockerfile="FROM x"), FACTS, USER) is None
    assert refusal(msgspec.structs.replace(TASK, as_user=True), ROOTLESS, Invoker(2**31, 1, "head")) is None


RAN = Figures(exit_code=3)
LIMITED = msgspec.structs.replace(TASK, resources=Resources(memory_limit=1_000_000_000))


@pytest.mark.parametrize(
    ("evidence", "ending", "exit_code", "words"),
    [
        (Evidence(0, Figures(exit_code=0), "i"), Ending.OK, 0, ""),
        (Evidence(0, Figures(), "i"), Ending.OK, 0, ""),
        (Evidence(0, Figures(oom_kills=1, exit_code=0), "i"), Ending.OK, 0, "killed for memory"),
        (Evidence(3, RAN, "i"), Ending.FAILED, 3, "with status 3"),
        (Evidence(127, Figures(no_shell=True), "i"), Ending.NO_SHELL, None, "image i has no /bin/bash"),
        (Evidence(137, Figures(), "i", oom_killed=True), Ending.OOM, 137, "at its limit of 1 GB"),
        (Evidence(3, replace(RAN, oom_kills=1), "i"), Ending.OOM, 3, "at its limit of 1 GB"),
        (Evidence(3, RAN, "i", disk_full=True), Ending.DISK_FULL, 3, f"{CALL}/work"),
        (Evidence(137, Figures(), "i"), Ending.LOST, None, "killed from outside"),
        (Evidence(126, Figures(), "i", log="no way"), Ending.MOUNT, None, f"{INSIDE}: no way"),
        (Evidence(2, Figures(), "i"), Ending.MOUNT, None, "status 2"),
        (Evidence(255, Figures(), "i", log="exec /bin/sh: exec format error"), Ending.NO_SHELL, None, "processor"),
    ],
)
def test_endings(evidence: Evidence, ending: Ending, exit_code: int | None, words: str) -> None:
    outcome = outcome_of(LIMITED, evidence)
    assert (outcome.ending, outcome.exit_code) == (ending, exit_code)
    assert words in outcome.message
    assert bool(outcome.message) is (ending is not Ending.OK or evidence.figures.oom_kills > 0)


def test_a_kill_without_a_limit_is_the_machines() -> None:
    usage = Usage(memory_peak=7_000_000_000)
    outcome = outcome_of(TASK, Evidence(137, Figures(usage, oom_kills=1, exit_code=137), "i"))
    assert outcome.message == "killed because this machine ran out of memory (it had used up to 7 GB)"
    assert outcome.usage == usage


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (errors.ImageNotFound("x"), Ending.PULL_PERMANENT),
        (errors.ImagePullFailed("x"), Ending.PULL_TRANSIENT),
        (errors.ImageBuildFailed("x"), Ending.BUILD),
        (errors.NoShell("x"), Ending.NO_SHELL),
        (errors.MountFailed("x"), Ending.MOUNT),
        (errors.EngineDiskFull("x"), Ending.DISK_FULL),
        (errors.ContainerVanished("x"), Ending.LOST),
        (errors.EngineUnavailable("x"), Ending.LOST),
        (errors.EngineError("x"), Ending.REFUSED),
    ],
)
def test_errors(error: errors.EngineError, ending: Ending) -> None:
    assert outcome_of_error(error).ending is ending


def test_a_hint_is_part_of_the_message() -> None:
    assert outcome_of_error(errors.ImageNotFound("no image x", hint="check it")).message == "no image x; check it"
