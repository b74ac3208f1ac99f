"""Tables on terminals of any width: nothing is cut while folding does, and then in the middle."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cromulent_wdl.cli.columns import aligned


def _printed(rows: Sequence[Sequence[str]], right: tuple[int, ...] = (), room: int | None = None) -> list[str]:
    return ["  ".join(line).rstrip() for lines in aligned(rows, right, room) for line in lines]


def test_columns_are_as_wide_as_their_cells() -> None:
    rows = [("CALL", "RAN", "SIZE"), ("index", "1", "1 vCPU 2 GB"), ("align", "24", "16 vCPU 64 GB")]

    assert _printed(rows, right=(1,), room=80) == _printed(rows, right=(1,)) == [
        "CALL   RAN  SIZE",
        "index    1  1 vCPU 2 GB",
        "align   24  16 vCPU 64 GB",
    ]  # fmt: skip


def test_what_does_not_fit_is_folded_between_words() -> None:
    assert _printed([("call_sample.align", "5.1 GB of 17.2 GB", "$1.07 (52%)")], right=(2,), room=36) == [
        "call_sample.align  5.1 GB      $1.07",
        "                   of          (52%)",
        "                   17.2 GB",
    ]


def test_a_name_that_does_not_fit_keeps_both_of_its_ends() -> None:
    assert _printed([("call_sample[0-shipped].call_variants", "0:02")], room=26) == ["call_samp…l_variants  0:02"]
    assert _printed([("20261126_210441_md5sum", "s3://cromulent-results/runs")], room=36) == [
        "20261126_210441_md5sum  s3://…s/runs"
    ]


def test_a_long_sentence_takes_three_lines() -> None:
    lines = _printed(
        [("align", "the image could not be pulled, since the registry did not answer in time; again")], room=30
    )

    assert len(lines) == 3
    assert lines[0].startswith("align  the image")
    assert lines[-1].endswith("again")


@given(
    st.lists(st.tuples(st.text("ab 界", max_size=40), st.text("xy ", max_size=30)), min_size=1, max_size=5),
    st.integers(30, 90),
)
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, ...]], room: int) -> None:
    assert all(cell_len(line) <= room for line in _printed(rows, room=room))
