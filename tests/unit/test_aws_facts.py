"""Whatever the simulator cites as a fact about AWS stands in the table of facts."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CITATION = re.compile(r"\(facts: ([^)]*)\)")


def test_every_fact_that_is_cited_is_a_row_of_the_table() -> None:
    table = (ROOT / "docs/reference/aws-facts.md").read_text()
    rows = set(re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE))
    cited: dict[str, str] = {}
    for file in (ROOT / "src/cromulent_wdl/simulator").rglob("*.py"):
        for citation in CITATION.findall(file.read_text()):
            cited |= {" ".join(fact.split()): file.name for fact in citation.split(";")}
    assert len(cited) > 20
    assert {fact: file for fact, file in cited.items() if fact not in rows and fact != "row"} == {}
