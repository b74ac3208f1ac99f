"""From WDL to the graph that reports draw and explain: miniwdl's syntax tree in, our values out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from WDL import Tree

from ..errors import CromulentError
from ..reports.graph import Call, Graph, Section
from ..storage import layout
from .document import read_document

__all__ = ["graph_of", "graph_of_run"]

_SHORT = 40
_QUOTES = "\"'"


def graph_of(target: Tree.Workflow | Tree.Task) -> Graph:
    """Return the graph of a workflow; a task is a graph of one call."""
    if isinstance(target, Tree.Task):
        return Graph(target.name, (Call(target.name, target.name, target.name, needs=_needs(target)),))
    calls: list[Call] = []
    sections: list[Section] = []
    edges: dict[str, set[str]] = {}
    _walk(target.body, "", calls, sections)
    for node in _nodes([*(target.inputs or []), *target.body]):
        edges[node.workflow_node_id] = set(node.workflow_node_dependencies)
        for gather in getattr(node, "gathers", {}).values():
            edges[gather.workflow_node_id] = set(gather.workflow_node_dependencies)
    identities = {call.id for call in calls}
    after = {identity: frozenset(_calls_before(identity, edges, identities)) for identity in identities}
    return Graph(target.name, tuple(calls), tuple(sections), after)


def graph_of_run(directory: Path, source: str) -> Graph | None:
    """Return the graph of what was run, from the run's own copy of its source; None where that cannot be read."""
    copies = [directory / layout.SOURCE / Path(source).name]
    if os.path.isabs(source):  # that of a run in the cloud is none of this machine's
        copies.append(Path(source))
    for path in copies:
        if path.is_file():
            try:
                document = read_document(str(path))
            except CromulentError:
                continue
            target = document.workflow or (document.tasks[0] if len(document.tasks) == 1 else None)
            return graph_of(target) if target is not None else None
    return None


def _walk(body: Iterable[object], parent: str, calls: list[Call], sections: list[Section]) -> None:
    for node in body:
        if isinstance(node, Tree.Call):
            callee = node.callee
            is_workflow = isinstance(callee, Tree.Workflow)
            needs = _needs(callee) if isinstance(callee, Tree.Task) else ""
            name = callee.name if callee is not None else node.name
            calls.append(Call(node.workflow_node_id, node.name, name, is_workflow, parent, needs))
        elif isinstance(node, Tree.Scatter | Tree.Conditional):
            kind = "scatter" if isinstance(node, Tree.Scatter) else "if"
            label = f"{node.variable} in {node.expr}" if isinstance(node, Tree.Scatter) else str(node.expr)
            sections.append(Section(node.workflow_node_id, kind, _shortened(label), parent))
            _walk(node.body, node.workflow_node_id, calls, sections)


def _nodes(body: Iterable[Tree.WorkflowNode]) -> Iterable[Tree.WorkflowNode]:
    for node in body:
        yield node
        yield from _nodes(getattr(node, "body", []))


def _calls_before(identity: str, edges: dict[str, set[str]], calls: set[str]) -> set[str]:
    """Return the calls that a call waits for, through declarations, sections and gathers."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(edges.get(identity, ()))
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        if each in calls:
            found.add(each)
        else:
            waiting += edges.get(each, ())
    return found - {identity}


def _needs(task: Tree.Task) -> str:
    asked = {name: str(task.runtime[name]) for name in ("cpu", "memory", "disks", "gpu") if name in task.runtime}
    wanted = [f"{name} {text.strip(_QUOTES)}" for name, text in asked.items()]
    return _shortened(", ".join(wanted))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
