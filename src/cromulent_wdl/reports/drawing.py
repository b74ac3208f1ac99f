"""A workflow's graph as SVG, as PNG, and as text for Mermaid."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from .graph import Graph
from .layout import NODE_HEIGHT, Arrow, Box, Drawing, lay_out

__all__ = ["LIGHT", "PAGE", "Colours", "NodeState", "mermaid", "png", "svg"]

_MARGIN = 12.0
_BAR = 4.0
_FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif"


@dataclass(frozen=True)
class Colours:
    """What is drawn in which colour."""

    paper: str
    box: str
    frame: str
    line: str
    ink: str
    soft: str
    states: Mapping[str, str]
    """By the value of a call's state."""


LIGHT = Colours(
    "#fdfcfa",
    "#ffffff",
    "#f5f2ec",
    "#b9b3a8",
    "#22262b",
    "#5d646c",
    {"ok": "#2c7a67", "cached": "#8fb5aa", "failed": "#bf3a2b", "stopped": "#a9772b", "running": "#2f6cae",
     "waiting": "#b9b3a8", "queued": "#b9b3a8", "lost": "#bf3a2b"},
)  # fmt: skip
PAGE = Colours(
    "none",
    "var(--sheet)",
    "var(--wash)",
    "var(--rule-strong)",
    "var(--ink)",
    "var(--soft)",
    {state: f"var(--{state})" for state in LIGHT.states},
)
"""As the report's page has them, which is light or dark."""


@dataclass(frozen=True)
class NodeState:
    """What became of a call of the graph, all its instances together."""

    text: str
    """A second line: `12 ok, 0:41 at the longest`."""
    counts: Mapping[str, int]
    """By state."""


def svg(graph: Graph, colours: Colours = LIGHT, states: Mapping[str, NodeState] | None = None) -> str:
    """Return the graph as an SVG of its own; `states` says by call id what became of it."""
    known = states or {}
    lines = {call.id: (known[call.id].text if call.id in known else _second(call.needs, call.callee, call.name),)
             for call in graph.calls}  # fmt: skip
    drawing = lay_out(graph, lines).moved(_MARGIN, _MARGIN)
    width, height = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
        f' height="{height:.0f}" role="img" aria-label="{escape(_in_words(graph))}" font-family="{_FONT}">',
        f'<rect width="100%" height="100%" fill="{colours.paper}"/>' if colours.paper != "none" else "",
        *(_frame(box, colours) for box in drawing.boxes if box.section is not None),
        *_arrows(drawing, colours),
        *(_box(box, lines[box.id][0], known.get(box.id), colours) for box in drawing.boxes if box.call is not None),
        "</svg>",
    ]
    return "\n".join(filter(None, parts))


def png(graph: Graph, scale: float = 2.0) -> bytes:
    """Return the graph as a PNG, twice as large as the SVG, for screens that are fine."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg(graph), zoom=round(scale)))


def mermaid(graph: Graph) -> str:
    """Return the graph in Mermaid's language, which GitHub and many editors draw."""
    lines = ["flowchart TD"]
    lines += _mermaid_inside("", graph, 1)
    lines += [
        f"  {_name(before)} --> {_name(call)}"
        for call, earlier in sorted(graph.after.items())
        for before in sorted(earlier)
    ]
    return "\n".join(lines) + "\n"


def _mermaid_inside(parent: str, graph: Graph, depth: int) -> list[str]:
    indent = "  " * depth
    lines = []
    for call in graph.calls:
        if call.parent == parent:
            text = call.name if call.name == call.callee else f"{call.name} ({call.callee})"
            shape = f'[["{_quoted(text)}"]]' if call.subworkflow else f'["{_quoted(text)}"]'
            lines.append(f"{indent}{_name(call.id)}{shape}")
    for section in graph.sections:
        if section.parent == parent:
            lines.append(f'{indent}subgraph {_name(section.id)}["{_quoted(f"{section.kind} {section.label}")}"]')
            lines += _mermaid_inside(section.id, graph, depth + 1)
            lines.append(f"{indent}end")
    return lines


def _name(identity: str) -> str:
    return re.sub(r"\W", "_", identity)


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _second(needs: str, callee: str, name: str) -> str:
    return needs or ("" if callee == name else callee)


def _in_words(graph: Graph) -> str:
    names = {call.id: call.name for call in graph.calls}
    said = []
    for call in graph.calls:
        after = sorted(names[each] for each in graph.after.get(call.id, ()))
        said.append(f"{call.name}{' after ' + ', '.join(after) if after else ''}")
    return f"Graph of {graph.name}: {'; '.join(said)}"


def _frame(box: Box, colours: Colours) -> str:
    section = box.section
    if section is None:
        return ""
    title = _cut(f"{section.kind} ({section.label})", box.width - 20)
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="8"'
        f' fill="{colours.frame}" stroke="{colours.line}" stroke-width="0.8"'
        f"{' stroke-dasharray=' + chr(34) + '4 3' + chr(34) if section.kind == 'if' else ''}/>"
        f'<text x="{box.x + 12:.1f}" y="{box.y + 17:.1f}" font-size="11" fill="{colours.soft}">{escape(title)}</text>'
    )


def _arrows(drawing: Drawing, colours: Colours) -> Sequence[str]:
    return [_arrow(arrow, colours) for arrow in drawing.arrows]


def _arrow(arrow: Arrow, colours: Colours) -> str:
    """Draw the way as curves between layers and straight lines past them."""
    (x, y), *rest = arrow.points
    path = [f"M{x:.1f} {y:.1f}"]
    for number, (to_x, to_y) in enumerate(rest):
        to_y -= 5 if number == len(rest) - 1 else 0
        if to_x == x:
            path.append(f"V{to_y:.1f}")
        else:
            bend = max(14.0, (to_y - y) / 2)
            path.append(f"C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return (
        f'<path d="{"".join(path)}" fill="none" stroke="{colours.line}" stroke-width="1.2"/>'
        f'<path d="M{x - 3.5:.1f} {y - 1:.1f}h7l-3.5 6z" fill="{colours.line}"/>'
    )


def _box(box: Box, second: str, state: NodeState | None, colours: Colours) -> str:
    call = box.call
    if call is None:
        return ""
    middle = box.x + box.width / 2
    first_line = box.y + (20 if second else 28)
    double = (
        f'<rect x="{box.x + 3:.1f}" y="{box.y + 3:.1f}" width="{box.width - 6:.1f}" height="{NODE_HEIGHT - 6:.1f}"'
        f' rx="4" fill="none" stroke="{colours.line}" stroke-width="0.8"/>'
        if call.subworkflow
        else ""
    )
    text = f'text-anchor="middle" x="{middle:.1f}"'
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{NODE_HEIGHT:.1f}" rx="6"'
        f' fill="{colours.box}" stroke="{colours.line}"/>{double}{_bar(box, state, colours)}'
        f'<text {text} y="{first_line:.1f}" font-size="13" font-weight="600" fill="{colours.ink}">'
        f"{escape(_cut(call.name, box.width - 16))}</text>"
        + (
            f'<text {text} y="{box.y + 35:.1f}" font-size="11" fill="{colours.soft}">'
            f"{escape(_cut(second, box.width - 12))}</text>"
            if second
            else ""
        )
    )


def _bar(box: Box, state: NodeState | None, colours: Colours) -> str:
    """Draw how many instances are in which state, as a bar along the box's foot."""
    total = sum(state.counts.values()) if state is not None else 0
    if state is None or not total:
        return ""
    x, y, width, drawn = box.x + 6, box.y + NODE_HEIGHT - _BAR - 2, box.width - 12, []
    for name, count in state.counts.items():
        part = width * count / total
        fill = colours.states.get(name, colours.line)
        drawn.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{part:.1f}" height="{_BAR}" fill="{fill}"/>')
        x += part
    return "".join(drawn)


def _cut(text: str, width: float) -> str:
    room = max(4, int(width / 6.6))
    return text if len(text) <= room else f"{text[: room - 1]}…"
