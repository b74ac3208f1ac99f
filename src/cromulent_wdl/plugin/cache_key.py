"""What decides the result of a call: the task, its inputs by content, and the configuration that its command sees.

Each part is kept as a digest under its own name, so that two keys can be compared in words.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple, Union

import msgspec
from WDL import Env, Value
from WDL.runtime import config

from ..config.task_secrets import secrets_of_task
from .cache_place import place_parts
from .settings import settings_of

__all__ = ["Call", "CallKey", "Configuration", "InputPath", "difference", "digest_of", "input_digests", "leaves"]

Leaf = Union[Value.File, Value.Directory]

_OPTIONS = (
    ("task_runtime", "defaults"),
    ("task_runtime", "as_user"),
    ("task_runtime", "allow_privileged"),
    ("task_runtime", "placeholder_regex"),
    ("task_runtime", "command_shell"),
    ("task_runtime", "command_preamble"),
    ("task_runtime", "old_command_dedent"),
    ("docker_swarm", "allow_networks"),
    ("file_io", "use_relative_output_paths"),
)
"""Options of miniwdl that can change what a command does, or how its outputs are laid out."""


class Call(NamedTuple):
    """A call as miniwdl's own cache names it."""

    name: str
    task_digest: str
    inputs_digest: str
    """Over the inputs with their paths: the same again when the same call is run again."""

    @classmethod
    def parse(cls, key: str) -> Call:
        """Take miniwdl's key apart."""
        return cls(*key.split("/"))


class CallKey(msgspec.Struct, frozen=True, dict=True):
    """What decides a call's result, by part."""

    call: Call
    inputs: Mapping[str, str]
    configuration: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        """Return the name under which the result is kept."""
        return digest_of([self.call.name, self.call.task_digest, self.inputs, self.configuration])


class InputPath(NamedTuple):
    """A file or directory among a call's inputs, at its place on this machine."""

    path: str
    directory: bool


class Configuration:
    """The effective configuration of one run, as far as results depend on it; values as digests only."""

    def __init__(self, cfg: config.Loader) -> None:
        self._parts = {f"[{section}] {name}": digest_of(cfg[section][name]) for section, name in _OPTIONS}
        self._parts["[task_runtime] env"] = digest_of(_environment(cfg["task_runtime"].get_dict("env")))
        self._copy = cfg["file_io"].get_bool("copy_input_files")
        self._copy_for = frozenset(cfg["file_io"].get_list("copy_input_files_for"))
        self._secrets = settings_of(cfg).settings.task_secrets
        self._of_tasks: dict[tuple[bool, bool], Mapping[str, str]] = {}

    def of_task(self, name: str, in_container: bool) -> Mapping[str, str]:
        """Return the parts for a task in a container or a process, each digest under its option's name."""
        copied = self._copy or name in self._copy_for
        if (copied, in_container) not in self._of_tasks:
            place = {part: digest_of(value) for part, value in place_parts(in_container, os.environ).items()}
            option = {"[file_io] copy_input_files": str(copied)}
            self._of_tasks[copied, in_container] = self._parts | option | place
        parts = self._of_tasks[copied, in_container]
        # Which secrets, not what they hold: nobody but ECS knows that, and a new password changes no result.
        secrets = secrets_of_task(self._secrets, name)
        return {**parts, "[cromulent] task_secrets": digest_of(secrets)} if secrets else parts


def _environment(given: Mapping[str, object]) -> dict[str, object]:
    """Return the variables that tasks get, with those that are passed on from our own environment."""
    passed_on = {name: os.environ.get(name) for name, value in given.items() if value is None}
    return {**given, **passed_on}


def digest_of(value: object) -> str:
    """Return a digest of anything that JSON can say."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def leaves(value: Value.Base) -> Iterator[Leaf]:
    """Yield every File and Directory in a value."""
    if isinstance(value, (Value.File, Value.Directory)):
        yield value
    for child in value.children:
        yield from leaves(child)


def input_digests(
    inputs: Env.Bindings[Value.Base], locate: Callable[[Leaf], InputPath], content: Callable[[InputPath], str]
) -> dict[str, str]:
    """Return a digest for each input by its name, with files and directories told by content and base name.

    Paths as such do not count, as a command does not see them: it finds its inputs side by side in one directory.
    Only where base names collide does miniwdl part them by the directories that they come from, and so do we.
    """
    bindings = sorted(inputs, key=lambda binding: binding.name)
    found = {binding.name: list(leaves(binding.value)) for binding in bindings}
    located = {_named(leaf): locate(leaf) for of_binding in found.values() for leaf in of_binding}
    group = _grouping(list(located.values()))

    def describe(leaf: Leaf) -> str:
        place = located[_named(leaf)]
        kind = "directory" if place.directory else "file"
        return f"{kind} {content(place)} {group(place)} {os.path.basename(place.path)}"

    return {
        binding.name: digest_of(
            (Value.rewrite_paths(binding.value, describe) if found[binding.name] else binding.value).json
        )
        for binding in bindings
    }


def _named(leaf: Leaf) -> InputPath:
    return InputPath(leaf.value.rstrip("/"), isinstance(leaf, Value.Directory))


def _grouping(places: list[InputPath]) -> Callable[[InputPath], str]:
    """Return what tells apart inputs of the same base name: the ordinals of their directories, if there are such."""
    names = Counter(os.path.basename(place.path) for place in set(places))
    if not names or max(names.values()) == 1:
        return lambda place: ""
    ordinals: dict[str, int] = {}
    for place in places:
        ordinals.setdefault(os.path.dirname(place.path), len(ordinals))
    return lambda place: str(ordinals[os.path.dirname(place.path)])


def difference(earlier: CallKey, call: Call, now: CallKey | None) -> str | None:
    """Say in words what an earlier call of the same name and input paths differs in, or None.

    `now` may be lacking where the task alone tells the two apart.
    """
    if earlier.call.task_digest != call.task_digest:
        return "the task's WDL has changed"
    if now is None:
        return None
    for name in sorted(earlier.inputs.keys() | now.inputs.keys()):
        if earlier.inputs.get(name) != now.inputs.get(name):
            return f"the content of input {name} has changed"
    for name in ("place", "machine", *sorted(earlier.configuration.keys() | now.configuration.keys())):
        if earlier.configuration.get(name) != now.configuration.get(name):
            return _SENTENCES.get(name) or f"{name if name.startswith('[') else 'variable ' + name} has changed"
    return None


_SENTENCES = {
    "place": "one was made in a container, the other is not to be",
    "machine": "it was made with the programs of another machine",
}
