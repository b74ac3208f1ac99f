"""The replacements for options, paths in values and temporary names: they do what miniwdl's functions do."""

from __future__ import annotations

import gc
import json
import logging
import weakref
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from WDL import Env, Error, Type, Value
from WDL.runtime.config import ConfigMissing

from cromulent_wdl.plugin.tuning.settled_options import OPTIONS
from cromulent_wdl.plugin.tuning.source_places import PLACES
from cromulent_wdl.plugin.tuning.temporary_names import NAMES
from cromulent_wdl.plugin.tuning.value_paths import PATHS
from tests.fakes.second_copy import second_copy

CONFIGURATION = """
[task_runtime]
env = {"HERE": "$PLACE", "SHARE": "50%%"}
placeholder_regex = ~$PLACE
[file_io]
root = ~/data
"""


@pytest.fixture(scope="module")
def tuned_config() -> ModuleType:
    module = second_copy("WDL.runtime.config")
    OPTIONS.replace(module)
    return module


@pytest.fixture(scope="module")
def tuned_values() -> ModuleType:
    module = ModuleType("values")
    module.__dict__.update(vars(Value))
    PATHS.replace(module)
    return module


def loaders(tmp_path: Path, tuned: ModuleType, **overrides: dict[str, Any]) -> tuple[Any, Any]:
    (tmp_path / "miniwdl.cfg").write_text(CONFIGURATION)
    made = [
        module.Loader(logging.getLogger("quiet"), [str(tmp_path / "miniwdl.cfg")], overrides)
        for module in (second_copy("WDL.runtime.config"), tuned)
    ]
    return made[0], made[1]


def test_every_option_is_what_miniwdl_finds(
    tmp_path: Path, tuned_config: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", "here")
    monkeypatch.setenv("MINIWDL__SCHEDULER__TASK_CONCURRENCY", " '7' ")
    original, tuned = loaders(tmp_path, tuned_config, file_io={"chown": False})
    options = [(section, key) for section, keys in original.get_all().items() for key in keys]
    assert len(options) > 50
    for _ in range(2):
        for section, key in options:
            assert tuned.get(section, key) == original.get(section, key)
            assert tuned[section.upper()][key.upper()] == original[section.upper()][key.upper()]
    assert (tuned._used, tuned._used_env) == (original._used, original._used_env)
    assert tuned["task_runtime"].get_dict("env") == {"HERE": "here", "SHARE": "50%"}


def test_an_override_is_seen_at_once(tmp_path: Path, tuned_config: ModuleType) -> None:
    _, tuned = loaders(tmp_path, tuned_config)
    assert tuned["file_io"].get_bool("chown")
    tuned.override({"file_io": {"chown": False}})
    assert not tuned["file_io"].get_bool("chown")


def test_a_default_is_never_remembered(tmp_path: Path, tuned_config: ModuleType) -> None:
    _, tuned = loaders(tmp_path, tuned_config)
    assert tuned.get("ours", "colour", "green") == "green"
    assert tuned.get("ours", "colour", "blue") == "blue"
    assert not tuned.has_option("ours", "colour")
    with pytest.raises(tuned_config.ConfigMissing):
        tuned.get("ours", "colour")
    tuned.plugin_defaults({"ours": {"colour": "red"}})
    assert tuned.get("ours", "colour", "blue") == "red"
    assert ConfigMissing.__name__ == tuned_config.ConfigMissing.__name__


def values() -> list[Value.Base]:
    node = Error.SourceNode(Error.SourcePosition("", "", 1, 1, 1, 1))
    files = [Value.File("/a/1"), Value.Directory("/a/d/"), Value.File("/a/gone"), Value.Null(node)]  # type: ignore[arg-type]
    array = Value.Array(Type.File(optional=True), files)
    pair = Value.Pair(Type.File(), Type.Int(), (files[0], Value.Int(1)))
    mapped = Value.Map((Type.String(), Type.File()), [(Value.String("k"), files[0]), (Value.String("l"), files[2])])
    struct = Value.Struct(Type.Object({"f": Type.File()}), {"f": files[1], "n": array}, extra={"extra"})
    nested = Value.Array(Type.Any(), [array, pair, mapped, struct])
    scalars = [Value.Int(3), Value.Float(0.5), Value.Boolean(True), Value.String("s"), Value.Null()]
    return [*files, *scalars, array, pair, mapped, struct, nested]


def structure(value: Any) -> Any:
    """Return all that is in a value, with the types of its parts."""
    if isinstance(value, Value.Base):
        return type(value), {name: structure(part) for name, part in sorted(vars(value).items())}
    if isinstance(value, (list, tuple)):
        return type(value), [structure(part) for part in value]
    if isinstance(value, dict):
        return {key: structure(part) for key, part in value.items()}
    return str(value) if isinstance(value, Type.Base) else repr(value)


def test_paths_are_rewritten_as_miniwdl_rewrites_them(tuned_values: ModuleType) -> None:
    def moved(leaf: Value.Base) -> str | None:
        return None if leaf.value.endswith("gone") else leaf.value.replace("/a/", "/b/")

    for value in values():
        before = structure(value)
        new = tuned_values.rewrite_paths(value, moved)
        assert structure(new) == structure(Value.rewrite_paths(value, moved))
        assert structure(value) == before
        assert new is not value


def test_paths_of_an_environment_are_rewritten_in_its_order(tuned_values: ModuleType) -> None:
    env: Env.Bindings[Value.Base] = Env.Bindings()
    for number, value in enumerate(values()):
        env = env.bind(f"n{number}", value)
    env = env.bind("n0", Value.Int(4))
    original, tuned = (
        [(binding.name, structure(binding.value)) for binding in rewrite(env, lambda leaf: f"/c{leaf.value}")]
        for rewrite in (Value.rewrite_env_paths, tuned_values.rewrite_env_paths)
    )
    assert tuned == original


def test_rewriting_leaves_nothing_to_the_collector(tuned_values: ModuleType) -> None:
    class Held:
        def __call__(self, leaf: Value.Base) -> str:
            return str(leaf.value)

    gc.disable()
    try:
        kept = []
        for rewrite in (Value.rewrite_paths, tuned_values.rewrite_paths):
            held = Held()
            kept.append(weakref.ref(held))
            rewrite(Value.Int(1), held)
            del held
        assert [seen() is None for seen in kept] == [False, True]
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "path", ["/lab/w.wdl", "/lab/../lab/./w.wdl", "w.wdl", "", "(buffer)", "https://lab.org/w.wdl"]
)
def test_a_document_lies_where_miniwdl_says(path: str) -> None:
    tuned = second_copy("WDL.Error")
    PLACES.replace(tuned)
    position = Error.SourcePosition(path, path, 1, 1, 1, 1)
    for _ in range(2):
        assert tuned.SourceNode(position).source_dir == Error.SourceNode(position).source_dir


def test_a_file_is_written_whole_under_its_own_name(tmp_path: Path) -> None:
    module = second_copy("WDL._util")
    NAMES.replace(module)
    module.write_atomic("text", str(tmp_path / "a.json"))
    module.write_atomic("", str(tmp_path / "empty"), end="")
    module.write_values_json(bindings(), str(tmp_path / "values.json"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir() if path.name != "values.json"} == {
        "a.json": "text\n",
        "empty": "",
    }
    assert json.loads((tmp_path / "values.json").read_text()) == {"n": 3}
    with pytest.raises(FileNotFoundError):
        module.write_atomic("text", str(tmp_path / "no" / "b.json"))


def test_a_link_takes_the_place_of_another(tmp_path: Path) -> None:
    module = second_copy("WDL._util")
    NAMES.replace(module)
    for target in ("first", "second"):
        module.symlink_force(target, str(tmp_path / "link"))
        assert [(path.name, str(path.readlink())) for path in tmp_path.iterdir()] == [("link", target)]


def bindings() -> Any:
    return Env.Bindings(Env.Binding("n", Value.Int(3)))
