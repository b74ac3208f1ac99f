"""Every key that this project gives or reads in a deployment's bucket, in one place (docs/reference/cloud-runs.md).

All but runs is named by its content: it is written once, and shared by all.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BUNDLES",
    "INPUTS",
    "RUNS",
    "RunKeys",
    "bundle_key",
    "bundle_source_key",
    "environment_key",
    "input_key",
    "usage_keys",
]

RUNS = "runs/"
INPUTS = "inputs/blake2b/"
BUNDLES = "bundles/"
_SEGMENT_DIGITS = 6


def usage_keys(month: str = "") -> str:
    """Return what the keys begin with of what removed runs of a month used; or of any month."""
    return f"usage/{month}/" if month else "usage/"


def environment_key(digest: str) -> str:
    """Return the key of what a head needs beside Python: a zip."""
    return f"environments/{digest}.zip"


def bundle_key(digest: str) -> str:
    """Return the key of what is to be run, with its inputs: JSON."""
    return f"{BUNDLES}{digest}/bundle.json"


def bundle_source_key(digest: str) -> str:
    """Return the key of a bundle's WDL: a zip as `miniwdl zip` makes it."""
    return f"{BUNDLES}{digest}/source.zip"


def input_key(digest: str, name: str) -> str:
    """Return the key of a file of this content, or the beginning of the keys of a directory's files."""
    return f"{INPUTS}{digest}/{name}"


@dataclass(frozen=True)
class RunKeys:
    """The keys of one run."""

    run_id: str

    @property
    def root(self) -> str:
        """What they all begin with."""
        return f"{RUNS}{self.run_id}/"

    @property
    def request(self) -> str:
        """What was asked for: the execution's input, as the state machine got it."""
        return self.root + "request.json"

    @property
    def stop(self) -> str:
        """Is there once the run is to stop."""
        return self.root + "stop"

    @property
    def heads(self) -> str:
        """The beginning of the keys of what each of its heads says of itself."""
        return self.root + "heads/"

    @property
    def journal(self) -> str:
        """The beginning of the keys of the journal's segments."""
        return self.root + "journal/"

    def segment(self, number: int) -> str:
        """Return the key of a segment of the journal; their order is that of their keys."""
        return f"{self.journal}{number:0{_SEGMENT_DIGITS}}.jsonl"

    @property
    def logs(self) -> str:
        """A zip of the texts in the run's directory: logs, and what calls wrote to their standard streams."""
        return self.root + "logs.zip"

    @property
    def files(self) -> str:
        """The beginning of the keys of the output files."""
        return self.root + "outputs/"

    @property
    def outputs(self) -> str:
        """The outputs as JSON, files by their addresses."""
        return self.root + "outputs.json"

    @property
    def result(self) -> str:
        """How the run ended. It is written last."""
        return self.root + "result.json"
