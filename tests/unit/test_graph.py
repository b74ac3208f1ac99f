import itertools
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cromulent_wdl.reports.drawing import NodeState, mermaid, svg
from cromulent_wdl.reports.graph import Call, Graph, Section, path_of
from cromulent_wdl.reports.layout import Box, lay_out

SOURCE = """
version 1.1
task t { input { Int i = 1 } command <<< >>> output { Int o = 1 } runtime { cpu: 4 memory: "8 GB" } }
workflow variants {
  input { Array[Int] samples  Boolean qc = true }
  call t as index
  scatter (s in samples) {
    Int before = index.o
    call t as align { input: i = before + s }
    if (qc) { call t as quality { input: i = align.o } }
  }
  Int total = length(align.o)
  call t as merge { input: i = total }
}
"""


@st.composite
def _graphs(draw: st.DrawFn) -> Graph:
    sections: list[Section] = []
    for number in range(draw(st.integers(0, 4))):
        parent = draw(st.sampled_from(["", *(section.id for section in sections)]))
        sections.append(Section(f"s{number}", draw(st.sampled_from(["scatter", "if"])), "x in y", parent))
    places = st.sampled_from(["", *(section.id for section in sections)])
    calls = [
        Call(f"c{number}", "a" * draw(st.integers(1, 40)), "t", parent=draw(places))
        for number in range(draw(st.integers(1, 9)))
    ]
    after = {
        call.id: frozenset(draw(st.sets(st.sampled_from([each.id for each in calls[:number]]))) if number else ())
        for number, call in enumerate(calls)
    }
    return Graph("g", tuple(calls), tuple(sections), after)


def _apart(one: Box, other: Box) -> bool:
    return (
        one.x + one.width <= other.x + 0.01
        or other.x + other.width <= one.x + 0.01
        or one.y + one.height <= other.y + 0.01
        or other.y + other.height <= one.y + 0.01
    )


def _within(inner: Box, outer: Box) -> bool:
    return (
        outer.x <= inner.x
        and inner.x + inner.width <= outer.x + outer.width
        and outer.y <= inner.y
        and inner.y + inner.height <= outer.y + outer.height
    )


@settings(deadline=None)  # the first one imports networkx
@given(_graphs())
def test_boxes_never_overlap_and_lie_within_their_sections(graph: Graph) -> None:
    drawing = lay_out(graph, {})
    boxes = {box.id: box for box in drawing.boxes}
    assert boxes.keys() == {call.id for call in graph.calls} | {section.id for section in graph.sections}
    calls = [box for box in drawing.boxes if box.call is not None]
    assert all(_apart(one, other) for one, other in itertools.combinations(calls, 2))
    for call in graph.calls:
        for section in graph.sections:
            inside = section in graph.around(call)
            assert (_within if inside else _apart)(boxes[call.id], boxes[section.id])


@settings(deadline=None)  # the first one imports networkx
@given(_graphs())
def test_what_waits_for_another_call_is_drawn_below_it(graph: Graph) -> None:
    boxes = {box.id: box for box in lay_out(graph, {}).boxes}
    parents = {call.id: call.parent for call in graph.calls}
    for call, before in graph.after.items():
        for each in before:
            if parents[call] == parents[each] and _acyclic(graph):
                assert boxes[each].y + boxes[each].height < boxes[call].y


def _acyclic(graph: Graph) -> bool:
    """Without sections nothing can wait for itself by way of what stands around it."""
    return not graph.sections


def _draw(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own: it makes miniwdl's parser faster, and other tests want it as it is."""
    command = [sys.executable, "-m", "cromulent_wdl", "graph", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_workflow_becomes_a_graph_through_its_declarations_and_gathers(tmp_path: Path) -> None:
    source = tmp_path / "variants.wdl"
    source.write_text(SOURCE)
    assert _draw(source).stdout == (
        "flowchart TD\n"
        '  call_index["index (t)"]\n'
        '  call_merge["merge (t)"]\n'
        '  subgraph scatter_L7C3_s["scatter s in samples"]\n'
        '    call_align["align (t)"]\n'
        '    subgraph if_L10C5["if qc"]\n'
        '      call_quality["quality (t)"]\n'
        "    end\n"
        "  end\n"
        "  call_index --> call_align\n"
        "  call_align --> call_merge\n"
        "  call_align --> call_quality\n"
    )
    for name, begins in (("g.svg", b"<svg "), ("g.png", b"\x89PNG")):
        assert _draw(source, "-o", tmp_path / name).returncode == 0
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert b"cpu 4, memory 8 GB" in (tmp_path / "g.svg").read_bytes()


def test_a_task_is_a_graph_of_one(tmp_path: Path) -> None:
    source = tmp_path / "t.wdl"
    source.write_text("version 1.1\ntask t { command <<< >>> }")
    assert _draw(source).stdout == 'flowchart TD\n  t["t"]\n'


@pytest.mark.parametrize("arguments", [["-o", "x.pdf"], ["--format", "pdf"], ["--task", "nope"]])
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    source = tmp_path / "variants.wdl"
    source.write_text(SOURCE)
    assert _draw(source, *arguments).returncode == 2


def test_whatever_names_hold_the_svg_is_sound_and_the_mermaid_quoted() -> None:
    nasty = '<script>alert("x")</script>&'
    graph = Graph(nasty, (Call("1", nasty, nasty, parent="2"),), (Section("2", "scatter", nasty),))
    states = {"1": NodeState(nasty, {"ok": 3, "failed": 1})}
    drawn = svg(graph, states=states)
    ET.fromstring(drawn)
    assert "<script" not in drawn
    assert "<script" not in mermaid(graph)


def test_paths_have_the_names_of_their_calls() -> None:
    assert path_of("inner[2].count[0]") == ("inner", "count")
