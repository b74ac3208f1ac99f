"""What the repository promises of itself: its version, its lock file, its links, the size of its parts."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import cromulent_wdl
from cromulent_wdl.config import Settings
from cromulent_wdl.model import Event

ROOT = Path(__file__).parents[2]
MAX_LINES = 300
MAX_FUNCTION_LINES = 40
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager"}
# With a class of one letter each, since this file is searched too.
LEFTOVERS = re.compile(r"(?<![\w./~*}-])/wor[k]/|/tmp/bash_job[s]|/roo[t]/|\bTOD[O]\b|\bFIXM[E]\b")


def tracked() -> list[Path]:
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def sources() -> list[Path]:
    return sorted((ROOT / "src").rglob("*.py"))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_version_is_the_newest_in_the_changelog() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == cromulent_wdl.__version__


def test_nothing_of_a_workplace_or_unfinished_is_left_in_a_file() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in tracked()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if LEFTOVERS.search(line)
    ]
    assert not found


def test_the_lock_file_names_no_index() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_the_lock_file_satisfies_what_pyproject_asks() -> None:
    pins = re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    project = msgspec.toml.decode((ROOT / "pyproject.toml").read_bytes())["project"]
    extras = project["optional-dependencies"]
    for line in [*project["dependencies"], *extras["dev"], *extras["simulator"]]:
        asked = Requirement(line)
        if asked.name == project["name"]:
            continue  # an extra that another extra takes along
        versions = [version for name, version in pins if canonicalize_name(name) == canonicalize_name(asked.name)]
        assert versions, f"{asked.name} is not in requirements.lock: make lock"
        assert all(version in asked.specifier for version in versions), f"{asked} is not what is locked: make lock"


@pytest.mark.parametrize("file", [file for file in sources()], ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_a_source_file_is_of_a_size_to_be_read(file: Path) -> None:
    lines = file.read_text().splitlines()
    says_why = f"{MAX_LINES} lines" in " ".join(lines[:10])
    assert len(lines) <= MAX_LINES or says_why
    long = [node.name for node in functions(file) if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES]
    assert not long, f"functions of more than {MAX_FUNCTION_LINES} lines"
    assert file.stem not in VAGUE_NAMES


def test_no_test_waits_without_end() -> None:
    """`subprocess.run` may: it kills its program whatever happens. For the rest there is tests/programs.py."""
    found = []
    for file in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.withitem) and isinstance(node.context_expr, ast.Call):
                endless = ast.unparse(node.context_expr.func) == "subprocess.Popen"
            else:
                endless = isinstance(node, ast.Call) and _waits_without_end(node)
            if endless:
                found.append(f"{file.relative_to(ROOT)}: {ast.unparse(node)}")
    assert not found


def _waits_without_end(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in ("communicate", "wait", "join"):
        return not (call.args or call.keywords)
    return name == "urlopen" and "timeout" not in {keyword.arg for keyword in call.keywords}


def test_the_reference_has_every_setting_and_every_event() -> None:
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert not [name for name in Settings.__struct_fields__ if f"| `{name}` |" not in settings]
    journal = (ROOT / "docs" / "reference" / "journal.md").read_text()
    names = [re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower() for event in get_args(Event)]
    assert not [name for name in names if f"| `{name}` |" not in journal]


@pytest.mark.parametrize("file", [file for file in tracked() if file.suffix == ".md"], ids=lambda file: file.name)
def test_links_between_documents_lead_somewhere(file: Path) -> None:
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", file.read_text())
    assert not [link for link in links if not (file.parent / link).exists()]


def test_the_story_of_a_package_names_files_that_are_there() -> None:
    for opening in (ROOT / "src").rglob("__init__.py"):
        story = ast.get_docstring(ast.parse(opening.read_text())) or ""
        named = re.findall(r"`([\w/]+\.(?:py|sh|yaml|j2))`", story)
        places = (opening.parent, ROOT / "src" / "cromulent_wdl")
        assert not [name for name in named if not any((place / name).exists() for place in places)], opening


def test_every_decision_has_a_number_of_its_own_by_date_and_is_listed() -> None:
    directory = ROOT / "docs" / "adr"
    pages = sorted(directory.glob("[0-9]*.md"))
    texts = [page.read_text() for page in pages]
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    titles = [text.partition("\n")[0].removeprefix("# ") for text in texts]
    assert [int(title.partition(".")[0]) for title in titles] == list(range(1, len(pages) + 1))
    dates = [re.findall(r"^(20\d\d-\d\d-\d\d), ", text, re.MULTILINE)[0] for text in texts]
    assert dates == sorted(dates)
    lines = (directory / "README.md").read_text().splitlines()
    listed = [line for line in lines if re.match(r"\d+\. ", line)]
    numbered = [title.split(". ", 1) for title in titles]
    assert listed == [f"{n}. [{title}]({page.name})" for (n, title), page in zip(numbered, pages, strict=True)]
