from pathlib import Path

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cromulent_wdl.cli.options import RunOptions
from cromulent_wdl.cli.wrong_inputs import no_such_input, refuse_unholdable, unreadable
from cromulent_wdl.errors import InputsError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"s": ', "expected the node content, but found '<stream end>' (line 1, column 7)"),
        ("s: a\n\ti: 3\n", "found character '\\t' that cannot start any token (line 2, column 1)"),
        ('{"s": "a", "s": "b"}', 'found duplicate key "s" with value "b" (original value: "a") (line 1, column 12)'),
    ],
)
def test_what_cannot_be_parsed_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(YAMLError) as raised:
        YAML(typ="safe", pure=True).load(text)
    error = unreadable(RunOptions(source="x.wdl", input_file="in.yaml"), raised.value)
    assert str(error) == f"the inputs cannot be read from in.yaml: {said}"


def test_inputs_given_literally_have_no_file() -> None:
    error = unreadable(RunOptions(source="x.wdl", input_file='{"s": 1}'), TypeError("date"))
    assert str(error).startswith("the inputs cannot be read: it has a name or a value that JSON does not have")
    assert error.hint == "put it in quotes"


def test_an_input_is_a_file_or_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert str(no_such_input("file", str(tmp_path))) == f"an input should be a file, and {tmp_path} is a directory"
    assert str(no_such_input("directory", f"{tmp_path}/file")).endswith("file is a file")
    assert str(no_such_input("file", "/nowhere")) == "there is no input file /nowhere"
    assert str(no_such_input("file", "")) == "an input file has no name"


@pytest.mark.parametrize("value", ["a\0", ["a", "\ud800"], {"k": {"\0": 1}}])
def test_what_no_command_can_be_given_is_refused(value: object) -> None:
    refuse_unholdable({"fine": ["é", 1, None, {"k": True}]})
    with pytest.raises(InputsError, match=r"input 'odd' has the character U\+"):
        refuse_unholdable({"fine": "", "odd": value})
