"""The replacements that a run has: they do what miniwdl's functions do."""

from __future__ import annotations

import logging
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from WDL import StdLib, Type, Value
from WDL._util import chmod_R_plus as original_chmod
from WDL.runtime import config

from cromulent_wdl.plugin.tuning.permissions import PERMISSIONS
from cromulent_wdl.plugin.tuning.plugin_lookup import PLUGINS
from cromulent_wdl.plugin.tuning.standard_library import LIBRARY
from tests.fakes.second_copy import second_copy

Chmod = Callable[..., None]


@pytest.fixture(scope="module")
def chmod() -> Chmod:
    module = ModuleType("task")
    module.__dict__["chmod_R_plus"] = original_chmod
    PERMISSIONS.replace(module)
    replaced: Chmod = module.__dict__["chmod_R_plus"]
    assert replaced is not original_chmod
    return replaced


def grow(root: Path, seed: int) -> None:
    """Make a tree of directories, files, pipes and links, beside a directory that links lead to."""
    choose = random.Random(seed)
    outside = root.parent / "outside"
    (outside / "below").mkdir(parents=True)
    (outside / "secret").touch(0o600)
    root.mkdir()
    directories = [root]
    for number in range(40):
        path = choose.choice(directories) / f"entry{number}"
        kind = choose.choice(["directory", "directory", "file", "file", "file", "pipe", "link", "dangling"])
        if kind == "link":
            path.symlink_to(choose.choice([outside, outside / "secret", outside / "below", *directories]))
            continue
        if kind == "dangling":
            path.symlink_to("nowhere")
            continue
        if kind == "directory":
            path.mkdir()
            directories.append(path)
        elif kind == "file":
            path.touch()
        else:
            os.mkfifo(path)
        mode = choose.choice([0o400, 0o600, 0o644, 0o755, 0o2700, 0o770, 0o1777])
        # Only root can go on in a directory that is closed to its owner.
        path.chmod(mode | 0o700 if path.is_dir() and os.geteuid() != 0 else mode)


def modes(top: Path) -> dict[str, str]:
    return {str(path.relative_to(top)): oct(path.lstat().st_mode) for path in sorted(top.rglob("*"))}


@pytest.mark.parametrize("way", ["", "/.", "/../root", "link"])
@pytest.mark.parametrize("seed", range(5))
def test_permissions_are_added_where_miniwdl_adds_them(tmp_path: Path, chmod: Chmod, seed: int, way: str) -> None:
    found = []
    for number, change in enumerate((original_chmod, chmod)):
        top = tmp_path / str(number)
        top.mkdir()
        grow(top / "root", seed)
        (top / "link").symlink_to("root")
        before = modes(top)
        change(f"{top}/link" if way == "link" else f"{top}/root{way}", file_bits=0o660, dir_bits=0o770)
        found.append(modes(top))
        assert found[-1] != before
    assert found[0] == found[1]


def test_permissions_of_a_single_file_and_of_none(tmp_path: Path, chmod: Chmod) -> None:
    (tmp_path / "file").touch(0o400)
    chmod(str(tmp_path / "file"), file_bits=0o660)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o660
    for change in (original_chmod, chmod):
        with pytest.raises(FileNotFoundError):
            change(str(tmp_path / "none"), file_bits=0o660)
        with pytest.raises(AssertionError):
            change(str(tmp_path), file_bits=0o10000)


def test_a_mode_that_is_right_is_left(tmp_path: Path, chmod: Chmod) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o664)
    before = (tmp_path / "file").stat().st_ctime_ns
    chmod(str(tmp_path), file_bits=0o660, dir_bits=0o770)
    assert (tmp_path / "file").stat().st_ctime_ns == before


AS_ANOTHER_USER = """
import sys
from types import ModuleType
from WDL._util import chmod_R_plus
from cromulent_wdl.plugin.tuning.permissions import PERMISSIONS
module = ModuleType("task")
module.chmod_R_plus = chmod_R_plus
PERMISSIONS.replace(module)
import os
os.setuid(12345)
for change in (chmod_R_plus, module.chmod_R_plus):
    try:
        change(sys.argv[1], file_bits=0o660, dir_bits=0o770)
        print("changed")
    except PermissionError:
        print("refused")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_is_not_ours_is_refused_even_if_its_mode_is_right(tmp_path: Path, chmod: Chmod) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "file").touch()
    (place / "file").chmod(0o666)
    place.chmod(0o777)
    for parent in place.parents:
        parent.chmod(parent.stat().st_mode | 0o111)
    done = subprocess.run([sys.executable, "-c", AS_ANOTHER_USER, place], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["refused", "refused"], done.stderr


class CountingFinder(metadata.DistributionFinder):
    """Counts how often anybody asks which distributions are installed; finds none itself."""

    def __init__(self) -> None:
        self.asked = 0

    def find_distributions(self, context: Any = None) -> Iterator[metadata.Distribution]:
        self.asked += 1
        return iter(())

    def find_spec(self, *arguments: object) -> None:
        return None


@pytest.fixture
def tuned_config() -> ModuleType:
    module = second_copy("WDL.runtime.config")
    PLUGINS.replace(module)
    return module


def install_plugin(site: Path, name: str, value: str) -> None:
    directory = site / f"{name}-1.dist-info"
    directory.mkdir(parents=True)
    (directory / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (directory / "entry_points.txt").write_text(f"[miniwdl.plugin.task]\n{name} = {value}\n")


def found(module: ModuleType, cfg: config.Loader, group: str) -> list[tuple[bool, str, str]]:
    return [(bool(enabled), plugin.name, plugin.value) for enabled, plugin in module.load_all_plugins(cfg, group)]


def loader(**plugins: Any) -> config.Loader:
    return config.Loader(logging.getLogger("quiet"), filenames=[], overrides={"plugins": plugins} if plugins else None)


def test_plugins_are_found_and_chosen_as_by_miniwdl(
    tmp_path: Path, tuned_config: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(found(tuned_config, loader(), group) for group in ("container_backend", "cache_backend"))
    install_plugin(tmp_path, "one", "json:loads")
    install_plugin(tmp_path, "two", "json:dumps")
    monkeypatch.syspath_prepend(str(tmp_path))
    for cfg in (loader(), loader(disable_patterns=["json:du*"]), loader(enable_patterns=["json:dumps", "WDL.*"])):
        for group in config.default_plugins():
            assert found(tuned_config, cfg, group) == found(config, cfg, group)
        assert dict(tuned_config.load_plugins(cfg, "task")) == dict(config.load_plugins(cfg, "task"))
    assert (False, "two", "json:dumps") in found(tuned_config, loader(disable_patterns=["json:du*"]), "task")


def test_the_installed_are_gone_through_once(tuned_config: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = CountingFinder()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
    for _ in range(5):
        found(tuned_config, loader(), "task")
    assert finder.asked == 1
    found(config, loader(), "task")
    assert finder.asked == 2


def test_a_group_that_does_not_exist_is_refused(tuned_config: ModuleType) -> None:
    for module in (config, tuned_config):
        with pytest.raises(AssertionError, match="nonsense"):
            list(module.load_all_plugins(loader(), "nonsense"))


@pytest.fixture(scope="module")
def tuned_library() -> ModuleType:
    module = second_copy("WDL.StdLib")
    LIBRARY.replace(module)
    return module


def functions(library: Any) -> dict[str, str]:
    return {name: type(value).__name__ for name, value in vars(library).items() if hasattr(value, "infer_type")}


@pytest.mark.parametrize("version", ["draft-2", "1.0", "1.1", "1.2", "development"])
def test_a_library_that_is_used_has_every_function(tuned_library: ModuleType, version: str) -> None:
    library, original = tuned_library.Base(version), StdLib.Base(version)
    assert functions(library) == {}
    assert library._add is library._add
    assert functions(library) == functions(original)
    assert vars(library).keys() == vars(original).keys()


def test_what_is_not_in_the_language_version_is_not_there(tuned_library: ModuleType) -> None:
    for library in (tuned_library.Base("1.0"), StdLib.Base("1.0")):
        assert not hasattr(library, "min")
        assert getattr(library, "nonsense", None) is None
        with pytest.raises(AttributeError, match="nonsense"):
            getattr(library, "nonsense")  # noqa: B009 - the point


def test_functions_write_where_their_own_library_does(tuned_library: ModuleType, tmp_path: Path) -> None:
    class Library(tuned_library.Base):  # type: ignore[name-defined,misc]
        def _virtualize_filename(self, filename: str) -> str:
            return f"virtual {filename}"

    lines = Value.Array(Type.String(), [Value.String("a")])
    for name in ("one", "two"):
        written = Library("1.1", str(tmp_path / name)).write_lines.F(lines)
        assert written.value.startswith(f"virtual {tmp_path / name}")


def test_what_a_subclass_sets_afterwards_stays(tuned_library: ModuleType) -> None:
    class Library(tuned_library.Base):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__("1.1")
            self.floor = "mine"
            self.stdout = "mine too"
            self._override_static("ceil", lambda value: "overridden")

    library = Library()
    assert (library.floor, library.stdout, library.ceil.F(None)) == ("mine", "mine too", "overridden")
    assert tuned_library.Base("1.1").floor != "mine"
    assert tuned_library.Base("1.1").ceil.F(Value.Float(1.5)).value == 2


def test_the_evaluation_context_is_kept(tuned_library: ModuleType) -> None:
    context = tuned_library.EvalContext()
    library = tuned_library.Base("1.1", eval_context=context)
    changed = library.eval_context = context.replace(placeholder_regex=None)
    assert library.floor and library.eval_context is changed
