"""Runs on Fargate with as many calls as one likes: scatters over samples, some of which go wrong. Always the same."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from cromulent_wdl.model import (
    CallCached,
    CallEnded,
    CallQueued,
    CallStarted,
    EcsTaskLaunched,
    EcsTaskStopped,
    Ending,
    Event,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskImage,
    TaskPlaced,
    TaskStarted,
    Usage,
)
from cromulent_wdl.storage import layout

from .journals import make_run

__all__ = ["SOURCE", "make_wide_run", "wide_run"]

SOURCE = """version 1.1
task trim { input { Int sample } command <<< fastp >>> output { Int o = 1 } runtime { cpu: 2 memory: "4 GB" container: "quay.io/biocontainers/fastp:0.23.4" } }
task align { input { Int sample  Int index } command <<< bwa mem >>> output { Int o = 1 } runtime { cpu: 4 memory: "8 GB" container: "quay.io/biocontainers/bwa:0.7.17" } }
task index { command <<< bwa index >>> output { Int o = 1 } runtime { cpu: 1 memory: "2 GB" container: "quay.io/biocontainers/bwa:0.7.17" } }
task quality { input { Int o } command <<< fastqc >>> output { Int r = 1 } runtime { cpu: 1 memory: "2 GB" } }
task merge { input { Array[Int] all } command <<< samtools merge >>> output { Int o = 1 } runtime { cpu: 8 memory: "16 GB" } }
workflow cohort {
  input { Array[Int] samples }
  call index
  scatter (sample in samples) {
    call trim { input: sample = sample }
    call align { input: sample = trim.o, index = index.o }
    call quality { input: o = align.o }
  }
  call merge { input: all = align.o }
}
"""  # noqa: E501 - WDL, a line a task

_GIB = 1 << 30
_REGION = "eu-west-1"
_BEGAN = 1_763_840_000.0
_IMAGES = {
    "trim": "quay.io/biocontainers/fastp:0.23.4",
    "align": "quay.io/biocontainers/bwa:0.7.17",
    "index": "quay.io/biocontainers/bwa:0.7.17",
    "quality": "quay.io/biocontainers/fastqc:0.12.1",
    "merge": "quay.io/biocontainers/samtools:1.19",
}
_NEEDS = {"trim": (2, 4), "align": (4, 8), "index": (1, 2), "quality": (1, 2), "merge": (8, 16)}
_SECONDS = {"trim": 240.0, "align": 1500.0, "index": 400.0, "quality": 90.0, "merge": 900.0}
_AT_ONCE = 64


class _Writer:
    """Makes the events of calls, one after another in time on a number of places."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.places = [_BEGAN] * _AT_ONCE
        self.number = 0

    def call(self, name: str, path: str, ready: float, fails: bool) -> tuple[list[Event], float]:
        """Return the events of a call, and when it ended."""
        events: list[Event] = [CallQueued(ready, path, name)]
        if self.chance.random() < 0.04 and name != "merge":
            return [*events, CallCached(ready + 0.2, path, name, f"/mnt/runs/earlier/call-{path}")], ready + 0.2
        place = min(range(_AT_ONCE), key=self.places.__getitem__)
        at = max(ready + 0.1, self.places[place])
        events.append(CallStarted(at, path, name, f"call-{path.replace('[', '-').replace(']', '')}"))
        spot_loss = self.chance.random() < 0.03
        endings = [Ending.SPOT] * spot_loss + ([Ending.OOM, Ending.OOM] if fails else [Ending.OK])
        for attempt, ending in enumerate(endings, start=1):
            more, at = self._attempt(name, path, attempt, at, ending)
            events += more
        self.places[place] = at
        message = "killed at its memory limit of 8 GB" if fails else ""
        events.append(CallEnded(at + 0.1, path, endings[-1], message))
        return events, at + 0.1

    def _attempt(self, name: str, path: str, attempt: int, at: float, ending: Ending) -> tuple[list[Event], float]:
        cpu, memory = _NEEDS[name]
        self.number += 1
        task = f"arn:aws:ecs:{_REGION}:123456789012:task/cromulent/{self.number:032x}"
        launched, pull = at + self.chance.uniform(0.2, 3), at + self.chance.uniform(8, 16)
        pulled = pull + self.chance.uniform(4, 20)
        ran = _SECONDS[name] * self.chance.lognormvariate(0, 0.35) * (0.4 if ending is Ending.SPOT else 1)
        stop = pulled + 1 + ran
        place = "spot" if attempt == 1 else "on_demand"
        code = "SpotInterruption" if ending is Ending.SPOT else "EssentialContainerExited"
        peak = memory * _GIB if ending is Ending.OOM else round(memory * _GIB * self.chance.uniform(0.15, 0.85))
        usage = Usage(peak, ran * cpu * self.chance.uniform(0.3, 0.95), ran, "cgroup")
        status = {Ending.OK: 0, Ending.OOM: 137}.get(ending)
        said = {Ending.OOM: "killed at its memory limit of 8 GB", Ending.SPOT: "Fargate Spot took its capacity back"}
        return [
            TaskPlaced(at, path, attempt, "fargate", "Spot first", cpu, memory * 10**9),
            EcsTaskLaunched(
                launched, path, attempt, task, place, _REGION, "X86_64", float(cpu), memory * _GIB, 20, True,
                log_group="/cromulent/cromulent", log_stream=f"task/task/{self.number:032x}",
            ),
            TaskImage(pulled, path, attempt, _IMAGES[name], f"sha256:{abs(hash(name)) % 16**12:012x}"),
            TaskStarted(pulled + 1, path, attempt, task),
            EcsTaskStopped(
                stop + 2, path, attempt, task, place, f"{_REGION}a", launched, pull, pulled, pulled + 1, stop + 1, code,
            ),
            TaskEnded(stop + 2, path, attempt, ending, status, said.get(ending, ""), usage),
        ], stop + 2  # fmt: skip


def wide_run(samples: int, failures: int = 0) -> list[Event]:
    """Return the events of a run of three calls a sample and two more, of which some align calls run out of memory."""
    writer = _Writer(random.Random(20261122))
    versions = {"cromulent": "0.1.0", "miniwdl": "1.16.0", "python": "3.11.7"}
    events: list[Event] = [
        RunStarted(_BEGAN, "20261122-1911-p7", "cohort", "workflow", "/lab/cohort.wdl", 1, "ip-10-0-1-17", "fargate",
                   versions),
        EcsTaskLaunched(_BEGAN, "", 0, "arn:head", "on_demand", _REGION, "X86_64", 1.0, 2 * _GIB, public_address=True),
    ]  # fmt: skip
    more, indexed = writer.call("index", "index", _BEGAN + 1, False)
    events += more
    last, bad = indexed, set(range(samples // 2, samples // 2 + failures))
    for sample in range(samples):
        for each, ended in _sample(writer, sample, indexed, sample in bad):
            events += each
            last = max(last, ended)
    if failures:
        events.append(RunEnded(last + 1, Ending.OOM, "align ran out of memory", f"align[{min(bad)}]"))
    else:
        more, last = writer.call("merge", "merge", last, False)
        events += [*more, RunEnded(last + 1, Ending.OK)]
    return events


def _sample(writer: _Writer, sample: int, indexed: float, fails: bool) -> Iterator[tuple[list[Event], float]]:
    events, trimmed = writer.call("trim", f"trim[{sample}]", _BEGAN + 1, False)
    yield events, trimmed
    events, aligned = writer.call("align", f"align[{sample}]", max(trimmed, indexed), fails)
    yield events, aligned
    if not fails:
        yield writer.call("quality", f"quality[{sample}]", aligned, False)


def make_wide_run(directory: Path, samples: int, failures: int = 0) -> Path:
    """Make the run's directory, with the source, inputs, outputs and the failed calls' last words."""
    make_run(directory, wide_run(samples, failures), listed=False)
    (directory / "wdl").mkdir()
    (directory / "wdl" / "cohort.wdl").write_text(SOURCE)
    inputs = {"cohort.samples": list(range(min(samples, 50))), "cohort.access_token": "s3cr3t"}
    (directory / "inputs.json").write_text(json.dumps(inputs))
    if not failures:
        (directory / "outputs.json").write_text(json.dumps({"cohort.merged": "s3://lab/cohort/merged.bam"}))
    for sample in range(samples // 2, samples // 2 + failures):
        call = directory / f"call-align-{sample}"
        call.mkdir()
        words = "[M::bwa_idx_load_from_disk] read 0 ALT contigs\n[M::process] read 400000 sequences\n" * 8
        (call / layout.stream_file("stderr", 2)).write_text(words + "Killed <script>alert(1)</script>\n")
        (call / "inputs.json").write_text(json.dumps({"sample": sample, "reads": f"s3://lab/{sample}.fq.gz"}))
    return directory
