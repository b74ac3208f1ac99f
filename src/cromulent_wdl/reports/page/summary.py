"""What stands above the details: figures of the whole run, of each name of a call, and of the graph's boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...pricing.costs import Costs
from ...runs.status import CallStatus, RunStatus, State
from ...units import format_dollars, format_duration, format_memory
from ..attempts import given
from ..drawing import NodeState
from ..graph import Graph, path_of

__all__ = ["Figure", "Image", "NameRow", "figures", "images_of", "names_of", "node_states"]


@dataclass(frozen=True)
class Figure:
    """A number with what it is of."""

    value: str
    label: str
    remark: str = ""


@dataclass(frozen=True)
class NameRow:
    """All calls of one name."""

    name: str
    count: int
    states: tuple[tuple[str, int], ...]
    seconds: float
    """Of all of them together."""
    longest: float
    memory: str
    """Highest peak, and what was asked for."""
    dollars: float


@dataclass(frozen=True)
class Image:
    """An image that tasks ran in."""

    name: str
    digest: str
    calls: int


def figures(status: RunStatus, costs: Costs, now: float) -> list[Figure]:
    """Return the few numbers that say most."""
    calls = list(status.calls.values())
    elapsed = status.elapsed(now)
    counts = ", ".join(f"{count} {state.value}" for state, count in _sorted(status.counts) if state is not State.OK)
    found = [Figure(str(len(calls)), "call" if len(calls) == 1 else "calls", counts or "all done")]
    if elapsed is not None:
        found.append(Figure(format_duration(elapsed), "from beginning to end"))
    cpu = sum(call.usage.cpu_seconds or 0.0 for call in calls)
    if cpu:
        busy = f"{cpu / elapsed:.1f} cores busy on average" if elapsed else ""
        found.append(Figure(format_duration(cpu), "of processor time", busy))
    attempts = sum(len(call.attempts) for call in calls)
    again = attempts - sum(bool(call.attempts) for call in calls)
    found.append(Figure(str(attempts), "task" if attempts == 1 else "tasks", f"{again} tried again" if again else ""))
    peak, asked = max(((call.usage.memory_peak or 0, _memory(call)) for call in calls), default=(0, 0))
    if peak:
        found.append(Figure(format_memory(peak, asked), "of memory, the largest call"))
    found.append(_cost_figure(costs))
    return found


def _cost_figure(costs: Costs) -> Figure:
    if not costs.bills:
        return Figure("$0", "on AWS", "it ran here")
    waste = f"{format_dollars(costs.failed)} of it without result" if costs.failed else ""
    return Figure(format_dollars(costs.dollars), "on AWS, about" if costs.estimated else "on AWS", waste)


def names_of(status: RunStatus, costs: Costs, now: float) -> list[NameRow]:
    """Return a row a name, the one that took longest in all first."""
    groups: dict[str, list[CallStatus]] = {}
    for call in status.calls.values():
        groups.setdefault(call.name or call.path, []).append(call)
    dollars: Counter[str] = Counter()
    for bill in costs.bills:
        dollars[bill.call] += bill.dollars  # type: ignore[assignment] # Counter adds up whatever adds up
    rows = [_name_row(name, calls, sum(dollars[call.path] for call in calls), now) for name, calls in groups.items()]
    return sorted(rows, key=lambda row: -row.seconds)


def _name_row(name: str, calls: list[CallStatus], dollars: float, now: float) -> NameRow:
    took = [call.elapsed(now) or 0.0 for call in calls]
    peak = max((call.usage.memory_peak or 0 for call in calls), default=0)
    asked = max((_memory(call) for call in calls), default=0)
    memory = " of ".join(format_memory(each, asked) for each in (peak, asked) if each)
    memory += "" if peak or not asked else " asked"
    counts = Counter(call.state for call in calls)
    states = tuple((state.value, count) for state, count in _sorted(counts))
    return NameRow(name, len(calls), states, sum(took), max(took, default=0.0), memory, dollars)


def _memory(call: CallStatus) -> int:
    return (given(call.attempts[-1])[1] or 0) if call.attempts else 0


def images_of(status: RunStatus) -> list[Image]:
    """Return the images, the most used first."""
    used: Counter[tuple[str, str]] = Counter()
    for call in status.calls.values():
        if call.attempts and call.attempts[-1].image:
            used[call.attempts[-1].image, call.attempts[-1].digest] += 1
    return [Image(name, digest, count) for (name, digest), count in used.most_common()]


def node_states(graph: Graph, status: RunStatus, now: float) -> Mapping[str, NodeState]:
    """Return what became of each call of the graph, all its instances together; a call that never came has none."""
    groups: dict[str, list[CallStatus]] = {}
    for path, call in status.calls.items():
        groups.setdefault(path_of(path)[0], []).append(call)
    return {
        call.id: _node_state(groups[call.name], now) if call.name in groups else NodeState("did not come up", {})
        for call in graph.calls
    }


def _node_state(calls: Iterable[CallStatus], now: float) -> NodeState:
    known = list(calls)
    counts = Counter(call.state for call in known)
    longest = max((call.elapsed(now) or 0.0 for call in known), default=0.0)
    words = ", ".join(f"{count} {state.value}" for state, count in _sorted(counts))
    took = f", {'at most ' if len(known) > 1 else ''}{format_duration(longest)}" if longest else ""
    return NodeState(words + took, {state.value: count for state, count in _sorted(counts)})


def _sorted(counts: Mapping[State, int]) -> list[tuple[State, int]]:
    return [(state, counts[state]) for state in State if counts.get(state)]
