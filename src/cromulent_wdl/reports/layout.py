"""Where the boxes of a workflow's graph go: layers from top to bottom, sections as boxes around what is in them.

Each section is laid out by itself and then placed as one box, so what it holds can never lie outside of it. An
arrow ends at a section rather than at what is inside: fewer lines, and the boxes are what depends on what.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .graph import Call, Graph, Section

if TYPE_CHECKING:
    import networkx

    Order = networkx.DiGraph[str]

__all__ = ["Arrow", "Box", "Drawing", "lay_out"]

NODE_HEIGHT = 46.0
_LETTER = 7.4
"""Width of a letter, about."""
_NARROWEST, _WIDEST = 96.0, 300.0
_PADDING = 14.0
_TITLE = 26.0
"""Height of a section's title."""
_BETWEEN, _LAYERS = 22.0, 40.0
"""Room between boxes of a layer, and between layers."""
_GAP = 14.0
"""Width of the way that an arrow has past a layer."""
_SWEEPS = 4


@dataclass(frozen=True)
class Box:
    """A call or a section, in units of SVG."""

    id: str
    x: float
    y: float
    width: float
    height: float
    call: Call | None = None
    section: Section | None = None


@dataclass(frozen=True)
class Arrow:
    """From the bottom of a box to the top of another, past the layers between them."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Drawing:
    """Boxes, the outer ones first, and arrows."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    def moved(self, x: float, y: float) -> Drawing:
        """Return it elsewhere."""
        boxes = tuple(replace(box, x=box.x + x, y=box.y + y) for box in self.boxes)
        arrows = tuple(Arrow(tuple((px + x, py + y) for px, py in arrow.points)) for arrow in self.arrows)
        return Drawing(self.width, self.height, boxes, arrows)


def lay_out(graph: Graph, lines: Mapping[str, Sequence[str]]) -> Drawing:
    """Return the drawing of a graph; `lines` has by call id the texts that its box must hold."""
    return _inside("", graph, lines)


def _inside(parent: str, graph: Graph, lines: Mapping[str, Sequence[str]]) -> Drawing:
    """Lay out what lies directly in a section, or at the top."""
    parts: dict[str, Drawing] = {}
    for call in graph.calls:
        if call.parent == parent:
            parts[call.id] = _node(call, lines.get(call.id, ()))
    for section in graph.sections:
        if section.parent == parent:
            parts[section.id] = _framed(section, _inside(section.id, graph, lines))
    order = _order(parts, graph)
    layers = _layers(order)
    ways = _ways(order, layers, parts)
    _untangle(layers, order)
    return _stacked(layers, parts, ways)


def _node(call: Call, lines: Sequence[str]) -> Drawing:
    longest = max((len(text) for text in (call.name, *lines)), default=0)
    width = min(_WIDEST, max(_NARROWEST, longest * _LETTER + 2 * _PADDING))
    return Drawing(width, NODE_HEIGHT, (Box(call.id, 0, 0, width, NODE_HEIGHT, call=call),), ())


def _framed(section: Section, inner: Drawing) -> Drawing:
    title = (len(section.kind) + len(section.label) + 1) * _LETTER
    width = max(inner.width + 2 * _PADDING, min(_WIDEST, title) + 2 * _PADDING)
    height = inner.height + _TITLE + _PADDING
    moved = inner.moved((width - inner.width) / 2, _TITLE)
    frame = Box(section.id, 0, 0, width, height, section=section)
    return Drawing(width, height, (frame, *moved.boxes), moved.arrows)


def _order(parts: Mapping[str, Drawing], graph: Graph) -> Order:
    """Return which parts come after which, each of them standing for the calls inside; nothing twice."""
    import networkx

    owner = {box.id: part for part, drawing in parts.items() for box in drawing.boxes}
    order: Order = networkx.DiGraph()
    order.add_nodes_from(parts)
    for call, before in graph.after.items():
        for each in before:
            if call in owner and each in owner and owner[call] != owner[each]:
                order.add_edge(owner[each], owner[call])
    return networkx.transitive_reduction(order) if networkx.is_directed_acyclic_graph(order) else order


def _layers(order: Order) -> list[list[str]]:
    """Return the parts by layer: each comes after all that it waits for."""
    import networkx

    if not networkx.is_directed_acyclic_graph(order):
        return [list(order.nodes)]
    return [list(layer) for layer in networkx.topological_generations(order)]


def _ways(order: Order, layers: list[list[str]], parts: dict[str, Drawing]) -> list[list[str]]:
    """Return each arrow as the parts that it passes; where it would cross a layer, put a narrow gap for it there."""
    layer_of = {part: number for number, layer in enumerate(layers) for part in layer}
    ways = []
    for source, target in list(order.edges):
        way = [source]
        for number in range(layer_of[source] + 1, layer_of[target]):
            gap = f"{source} {target} {number}"
            parts[gap] = Drawing(_GAP, 0.0, (Box(gap, 0.0, 0.0, _GAP, 0.0),), ())
            layers[number].append(gap)
            way.append(gap)
        way.append(target)
        if len(way) > 2:
            order.remove_edge(source, target)
            order.add_edges_from(itertools.pairwise(way))
        ways.append(way)
    return ways


def _untangle(layers: Sequence[list[str]], order: Order) -> None:
    """Sort each layer so that arrows cross little: each part near the middle of what it is joined to."""
    for _ in range(_SWEEPS):
        for above, layer in itertools.pairwise(layers):
            _sort(layer, _places(above), order.predecessors)
        for below, layer in itertools.pairwise(reversed(layers)):
            _sort(layer, _places(below), order.successors)


def _places(layer: Sequence[str]) -> dict[str, float]:
    return {part: (number + 0.5) / len(layer) for number, part in enumerate(layer)}


def _sort(layer: list[str], places: Mapping[str, float], neighbours: Callable[[str], Iterable[str]]) -> None:
    own = _places(layer)

    def middle(part: str) -> float:
        known = [places[each] for each in neighbours(part) if each in places]
        return sum(known) / len(known) if known else own[part]

    layer.sort(key=middle)


def _stacked(layers: Sequence[Sequence[str]], parts: Mapping[str, Drawing], ways: Iterable[Sequence[str]]) -> Drawing:
    widths = [sum(parts[part].width for part in layer) + _BETWEEN * (len(layer) - 1) for layer in layers]
    width = max(widths, default=0.0)
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    outer: dict[str, Box] = {}
    y = 0.0
    for layer, layer_width in zip(layers, widths, strict=True):
        x = (width - layer_width) / 2
        height = max(parts[part].height for part in layer)
        for part in layer:
            placed = parts[part].moved(x, y)
            is_gap = placed.height == 0.0
            boxes += () if is_gap else placed.boxes
            arrows += placed.arrows
            outer[part] = replace(placed.boxes[0], height=height) if is_gap else placed.boxes[0]
            x += placed.width + _BETWEEN
        y += height + _LAYERS
    arrows += [_arrow([outer[part] for part in way]) for way in ways]
    return Drawing(width, max(0.0, y - _LAYERS), tuple(boxes), tuple(arrows))


def _arrow(way: Sequence[Box]) -> Arrow:
    points: list[tuple[float, float]] = []
    for number, box in enumerate(way):
        middle = box.x + box.width / 2
        points += [(middle, box.y)] if number else []
        points += [(middle, box.y + box.height)] if number < len(way) - 1 else []
    return Arrow(tuple(points))
