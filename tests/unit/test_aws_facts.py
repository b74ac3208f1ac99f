"""Facts about AWS that code cites stand in the table of facts; what bit others has a test, named after it."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CITING = ("simulator", "aws", "monitor", "storage", "backends/fargate")
CITATION = re.compile(r"\(facts: ([^)]*)\)")


def test_every_fact_that_is_cited_is_a_row_of_the_table() -> None:
    table = (ROOT / "docs/reference/aws-facts.md").read_text()
    rows = set(re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE))
    cited: dict[str, str] = {}
    for file in (file for part in CITING for file in (ROOT / "src/cromulent_wdl" / part).rglob("*.py")):
        for citation in CITATION.findall(file.read_text()):
            cited |= {" ".join(fact.split()): file.name for fact in citation.split(";")}
    assert len(cited) > 20
    assert {fact: file for fact, file in cited.items() if fact not in rows and fact != "row"} == {}


def test_every_row_of_what_bit_others_has_a_test_or_a_reason() -> None:
    table = (ROOT / "docs/reference/aws-facts.md").read_text()
    rows = {int(row): done for row, done in re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", table, re.MULTILINE)}
    assert list(rows) == list(range(1, 57))
    names = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    tested = {
        int(row) for name in re.findall(r"def test_rows?_(\d+(?:_and_\d+)*)_", names) for row in name.split("_and_")
    }
    recorded = json.loads((ROOT / "tests/unit/recorded/tasks.json").read_text())
    tested |= {int(each["row"].partition(",")[0]) for each in recorded if each["row"][0].isdigit()}
    assert tested <= set(rows)
    assert {row for row, done in rows.items() if done.startswith("Not built:")} == set(rows) - tested
