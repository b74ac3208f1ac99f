"""Renders the page."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ...clock import local_time
from ...pricing.costs import Costs
from ...runs.status import RunStatus, State
from ...storage import layout
from ...units import format_bytes, format_dollars, format_duration
from ..critical import Step, critical_path
from ..drawing import PAGE, svg
from ..evidence import read_json
from ..explanation import Explanation
from ..graph import Graph
from .data import calls_in_columns
from .summary import figures, images_of, names_of, node_states
from .texts import masked, texts_of

__all__ = ["Contents", "render"]

_SCRIPTS = ("words.js", "timeline.js", "table.js", "details.js", "main.js")
_LONGEST = 200_000
"""Letters of the run's inputs, and of its outputs."""


@dataclass(frozen=True)
class Contents:
    """What a page is made of."""

    directory: Path
    status: RunStatus
    costs: Costs
    now: float
    graph: Graph | None = None
    explanation: Explanation | None = None
    """Of a failure, or of what a run waits for."""
    place: str = ""
    """Where the run is, if the directory is a copy of it."""
    prices: str = ""
    """Where the prices are from."""
    version: str = ""
    """Of this program."""


def render(contents: Contents) -> str:
    """Return the page as HTML."""
    import jinja2

    status = contents.status
    steps = critical_path(status, contents.graph, contents.now)
    data = calls_in_columns(status, contents.costs, [step.path for step in steps], contents.now)
    data["texts"] = texts_of(contents.directory, status)
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(duration=format_duration, bytes=format_bytes, dollars=format_dollars)
    return environment.get_template("page.html.j2").render(
        **_heading(contents),
        figures=figures(status, contents.costs, contents.now),
        explanation=asdict(contents.explanation) if contents.explanation is not None else None,
        names=names_of(status, contents.costs, contents.now),
        steps=_steps(steps),
        graph=_graph(contents),
        inputs=_shown(contents.directory / "inputs.json"),
        outputs=_shown(contents.directory / layout.OUTPUTS_JSON),
        images=images_of(status),
        style=_asset("page.css"),
        script=script,
        digest=_digest(script),
        data=_embedded(data),
        count=len(status.calls),
    )


def _heading(contents: Contents) -> Mapping[str, Any]:
    started, ended = contents.status.started, contents.status.ended
    backend = started.backend if started else ""
    where = {"process": "as processes", "": ""}.get(backend, f"on {backend.capitalize()}")
    region = contents.status.region
    return {
        "name": started.name if started else contents.directory.name,
        "run_id": started.run_id if started else contents.directory.name,
        "state": contents.status.state.value,
        "words": contents.status.words,
        "ending": ended.ending.value if ended is not None else "",
        "going": contents.status.state in (State.RUNNING, State.QUEUED),
        "began": f"{local_time(started.at):%-d %B %Y, %H:%M}" if started else "",
        "made": f"{local_time(contents.now):%-d %B %Y, %H:%M}",
        "host": started.host if started else "",
        "source": layout.unpacked(started.source) if started else "",
        "where": f"{where} in {region}" if region else where,
        "place": contents.place or str(contents.directory),
        "directory": str(contents.directory),
        "versions": dict(started.versions) if started else {},
        "prices": contents.prices,
        "version": contents.version,
    }


def _graph(contents: Contents) -> str:
    if contents.graph is None:
        return ""
    return svg(contents.graph, PAGE, node_states(contents.graph, contents.status, contents.now))


def _steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    total = sum(step.waited + step.ran for step in steps) or 1.0
    return [
        {
            "path": step.path,
            "waited": step.waited,
            "ran": step.ran,
            "waited_part": round(100 * step.waited / total, 2),
            "ran_part": round(100 * step.ran / total, 2),
        }
        for step in steps
    ]


def _shown(path: Path) -> str:
    values = read_json(path)
    if not values:
        return ""
    text = json.dumps(masked(values), indent=2, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… and more in {path}"


def _embedded(data: Mapping[str, Any]) -> str:
    """Return JSON that no text in it can end the script element or begin a comment there."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
