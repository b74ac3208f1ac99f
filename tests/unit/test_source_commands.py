import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cromulent_wdl.cli import check, template
from cromulent_wdl.errors import InputsError, SourceError

GOOD = """version 1.1
task t {
  input {
    File reads
    Array[Int] sizes
    String? note
    Int ram = 4
    String name = basename(reads)
  }
  command <<< cat ~{reads} >>>
  runtime { docker: "a:1" }
}
task other { command {} runtime { docker: "ubuntu" } }
workflow w {
  input { Map[String, Float] table }
  call t { input: sizes = [1] }
  call other  # a comment
}
"""
WRONG = "version 1.1\nworkflow w {\n  output { Int x = y }\n}\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # In this process miniwdl is left as it is, for the tests that come after.
    monkeypatch.setenv("CROMULENT_TUNING", "off")
    (tmp_path / "good.wdl").write_text(GOOD)
    (tmp_path / "wrong.wdl").write_text(WRONG)
    (tmp_path / "fine.wdl").write_text('version 1.1\ntask t {\n  command {}\n  runtime { docker: "a:1" }\n}\n')
    return tmp_path


def invoke(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)


def test_check_prints_miniwdls_outline_with_our_lint_in_it() -> None:
    result = invoke(check.command, "good.wdl", "--suppress", "CommandShellCheck,UnusedDeclaration,UnusedCall")
    assert result.return_value == 0
    assert result.stdout.splitlines() == [
        "good.wdl",
        "    workflow w",
        "        call t",
        "            (Ln 16, Col 3) IncompleteCall, required input(s) omitted in call to t (reads)",
        "        call other",
        "    task other",
        "        (Ln 13, Col 43) UnpinnedImage, image ubuntu has no tag, so it changes with time; "
        "write ubuntu:VERSION or ubuntu@sha256:DIGEST",
        "    task t",
    ]


def test_check_is_content_or_strict() -> None:
    names = "CommandShellCheck,UnusedDeclaration,UnusedCall,IncompleteCall"
    assert invoke(check.command, "fine.wdl", "--strict").return_value == 0
    assert "shellcheck" not in invoke(check.command, "fine.wdl", "--no-shellcheck").stderr
    assert invoke(check.command, "good.wdl", "--suppress", names, "--strict").return_value == 2
    assert invoke(check.command, "good.wdl", "--suppress", f"{names},UnpinnedImage", "--strict").return_value == 0


def test_check_goes_on_behind_a_wrong_source_and_fails_in_the_end() -> None:
    result = invoke(check.command, "wrong.wdl", "nosuch.wdl", "fine.wdl")
    assert result.return_value == 2
    assert result.stdout.splitlines() == ["fine.wdl", "    task t"]
    assert "(wrong.wdl Ln 3 Col 20) Unknown identifier y\n      output { Int x = y }\n" in result.stderr
    assert "there is no file nosuch.wdl\n" in result.stderr


def test_check_shows_what_comments_suppress_only_when_asked(place: Path) -> None:
    source = GOOD.replace('runtime { docker: "ubuntu" } }', 'runtime { docker: "ubuntu" } } # !UnpinnedImage')
    (place / "good.wdl").write_text(source)
    assert "UnpinnedImage" not in invoke(check.command, "good.wdl").stdout
    assert "UnpinnedImage (suppressed)" in invoke(check.command, "good.wdl", "--no-suppress").stdout


def test_check_as_json() -> None:
    result = invoke(check.command, "wrong.wdl", "good.wdl", "--json")
    assert result.return_value == 2
    record = json.loads(result.stdout)
    (error,) = record["errors"]
    assert error["source"] == "wrong.wdl" and "Unknown identifier y" in error["message"]
    (warning,) = [each for each in record["warnings"] if each["name"] == "UnpinnedImage"]
    assert (warning["source"], warning["line"], warning["column"], warning["suppressed"]) == ("good.wdl", 13, 43, False)
    assert warning["file"] == os.path.abspath("good.wdl")


def test_check_looks_for_imports_where_it_is_told(place: Path) -> None:
    (place / "lib").mkdir()
    (place / "lib" / "part.wdl").write_text('version 1.1\ntask p {\n command {}\n runtime { docker: "ubuntu" }\n}\n')
    (place / "main.wdl").write_text('version 1.1\nimport "part.wdl" as part\nworkflow w { call part.p }\n')
    missing = invoke(check.command, "main.wdl")
    assert (missing.return_value, missing.stdout) == (2, "")
    assert "part.wdl" in missing.stderr
    found = invoke(check.command, "main.wdl", "--path", "lib")
    assert found.return_value == 0
    assert "(Ln 4, Col 20) UnpinnedImage" in found.stdout


def test_imports_from_outside_can_be_refused(place: Path) -> None:
    (place / "inner").mkdir()
    (place / "inner" / "main.wdl").write_text('version 1.1\nimport "../fine.wdl" as f\nworkflow w { call f.t }\n')
    assert invoke(check.command, "inner/main.wdl").return_value == 0
    refused = invoke(check.command, "inner/main.wdl", "--no-outside-imports")
    assert refused.return_value == 2
    assert "outside" in refused.stderr


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("workflow w {\n  output { Int x = y }\n}\n", "begin with its WDL version"),
        ("version 1.1\nworkflow w {\n input { Int? a }\n Int b = a\n}\n", "--no-quant-check"),
    ],
)
def test_check_hints_at_what_older_wdl_needs(place: Path, source: str, hint: str) -> None:
    (place / "old.wdl").write_text(source)
    assert hint in invoke(check.command, "old.wdl").stderr
    assert invoke(check.command, "fine.wdl", "old.wdl", "--no-quant-check").return_value == (
        0 if "Int?" in source else 2
    )


def test_plain_miniwdl_check_says_what_it_always_said() -> None:
    done = subprocess.run([sys.executable, "-m", "WDL", "check", "good.wdl"], text=True, capture_output=True)
    assert done.returncode == 0
    assert "IncompleteCall" in done.stdout
    assert "UnpinnedImage" not in done.stdout


def test_check_leaves_alone_what_it_does_not_need(place: Path) -> None:
    program = (
        "import sys; from cromulent_wdl.cli.main import run; status = run(['check', 'fine.wdl'])\n"
        "sys.exit(status or ('WDL.runtime' in sys.modules) * 3)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"fine.wdl\n    task t\n")


def test_template_has_the_required_inputs_with_their_types() -> None:
    result = invoke(template.command, "good.wdl")
    assert json.loads(result.stdout) == {"w.table": {"String": 3.14}, "w.t.reads": "File"}


def test_template_of_a_task_has_no_prefix() -> None:
    assert json.loads(invoke(template.command, "good.wdl", "--task", "t").stdout) == {"reads": "File", "sizes": [42]}


def test_template_without_a_required_input_says_so(place: Path) -> None:
    (place / "free.wdl").write_text('version 1.1\ntask free { input { String name = "x" }\n command {} }\n')
    result = invoke(template.command, "free.wdl")
    assert json.loads(result.stdout) == {}
    assert result.stderr == "free needs no input; --optional shows those that it takes\n"


def test_template_with_the_optional_inputs_says_which_it_leaves_out() -> None:
    result = invoke(template.command, "good.wdl", "--task", "t", "--optional")
    assert json.loads(result.stdout) == {"reads": "File", "sizes": [42], "note": None, "ram": 4}
    assert result.stderr == "left out, its default is computed: name = basename(reads)\n"


def test_template_names_the_tasks_where_it_must_be_told_one(place: Path) -> None:
    with pytest.raises(InputsError, match="no such task x") as raised:
        invoke(template.command, "good.wdl", "--task", "x")
    assert raised.value.hint == "--task is one of t, other"
    (place / "tasks.wdl").write_text("version 1.1\ntask a { command {} }\ntask b { command {} }\n")
    with pytest.raises(InputsError, match="specify --task") as raised:
        invoke(template.command, "tasks.wdl")
    assert raised.value.hint == "--task is one of a, b"


def test_template_of_wrong_wdl_is_an_error_of_the_source() -> None:
    with pytest.raises(SourceError, match="Unknown identifier y"):
        invoke(template.command, "wrong.wdl")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"version 1.1\nworkflow w { ?", "'?' cannot stand here; expected: "),
        (b"version 1.1\ntask t { command { echo", "the document ends too early; expected: EITHER_DELIM, RBRACE\n"),
        (b"# a\n\n  # b", "round.wdl has nothing but comments"),
        (b"\0" * 9, "round.wdl is not a WDL document: it is not text"),
        (b"\xff\xfe\0", "round.wdl is not a WDL document: it is not text in UTF-8"),
        (b'version 1.1\nimport "round.wdl" as r\nworkflow w {}\n', "round.wdl imports itself: round.wdl → round.wdl"),
        (b'version 1.1\nimport "back.wdl" as b\nworkflow w {}\n', "imports itself: round.wdl → back.wdl → round.wdl"),
    ],
    ids=["a stray character", "an early end", "comments", "zeros", "not UTF-8", "itself", "a circle"],
)
def test_what_is_no_document_is_said_in_a_sentence(place: Path, source: bytes, said: str) -> None:
    (place / "round.wdl").write_bytes(source)
    (place / "back.wdl").write_text('version 1.1\nimport "round.wdl" as r\nworkflow w {}\n')
    with pytest.raises(SourceError) as raised:
        invoke(template.command, "round.wdl")
    assert said in f"{raised.value}\n"
    assert "Token(" not in str(raised.value)


def test_a_byte_order_mark_is_no_part_of_the_document(place: Path) -> None:
    (place / "marked.wdl").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert json.loads(invoke(template.command, "marked.wdl").stdout)


def test_an_address_that_does_not_answer_is_named() -> None:
    with pytest.raises(SourceError) as raised:
        invoke(template.command, "http://127.0.0.1:9/there.wdl")
    assert str(raised.value).startswith("http://127.0.0.1:9/there.wdl cannot be read: ")
