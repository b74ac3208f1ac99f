"""Lint for what runs here today and elsewhere, or tomorrow, does not.

The linters are of the same kind as miniwdl's own: each walks a document and attaches warnings to its nodes,
and a comment `# !UnpinnedImage` suppresses one. They take part only after `install()`, so plain
`miniwdl check` says what it always said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from WDL import Expr, Lint, Tree, Type
from WDL.Error import SourcePosition

from ..units import GIB, parse_bytes
from .constants import constant

__all__ = ["LINTERS", "install"]

_IMAGE_KEYS = ("docker", "container")

# Where people keep their own things. A path elsewhere (/usr, /opt, /app …) belongs to the task's image.
_OWN_PATH = re.compile(
    r"(?<![\w./~}\])-])/(?:home|Users|Volumes|mnt|media|scratch|data|work|lustre|gpfs|nfs|efs|fsx|shared|projects?"
    r"|groups?|cromwell_root)/[\w./+@%-]+"
)

LARGEST_CPU = 16
LARGEST_MEMORY = 120 * GIB
"""What the largest size of AWS Fargate has."""


class MissingImage(Lint.Linter):
    """A task that names no image runs in whatever the engine's default is."""

    def task(self, obj: Tree.Task) -> None:
        """Warn of the task."""
        if not any(key in obj.runtime for key in (*_IMAGE_KEYS, "inlineDockerfile")):
            self.add(obj, f"task {obj.name} names no image, so every engine takes its own default; set one")


class UnpinnedImage(Lint.Linter):
    """An image without a tag, or tagged `latest`, is another one next month."""

    def task(self, obj: Tree.Task) -> None:
        """Warn of each such image."""
        for key in _IMAGE_KEYS:
            if key in obj.runtime:
                value = constant(obj.runtime[key])
                for image in value if isinstance(value, list) else [value]:
                    if isinstance(image, str) and image and not _pinned(image):
                        self.add(obj, _unpinned(image), obj.runtime[key].pos)


def _pinned(image: str) -> bool:
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return bool(digest) or tag not in ("", "latest")


def _unpinned(image: str) -> str:
    plain = image.removesuffix(":latest")
    what = "is tagged latest" if plain != image else "has no tag"
    return f"image {image} {what}, so it changes with time; write {plain}:VERSION or {plain}@sha256:DIGEST"


class MemoryWithoutUnit(Lint.Linter):
    """A bare number is bytes by the specification, and was gigabytes to some who wrote it."""

    def task(self, obj: Tree.Task) -> None:
        """Warn of `runtime.memory`."""
        memory = obj.runtime.get("memory")
        if memory is not None and _lacks_unit(memory):
            self.add(obj, "runtime.memory without a unit means bytes; write it like '4 GB'", memory.pos)


def _lacks_unit(memory: Expr.Base) -> bool:
    value = constant(memory)
    if value is not None:
        return isinstance(value, int | float) or str(value).strip().replace(".", "", 1).isdigit()
    if isinstance(memory, Expr.String):
        between_quotes = "".join(part for part in memory.parts if isinstance(part, str))[1:-1]
        numbers = all(isinstance(p.expr.type, Type.Int | Type.Float) for p in memory.parts if not isinstance(p, str))
        return numbers and not re.search("[A-Za-z]", between_quotes)
    return isinstance(memory.type, Type.Int | Type.Float)


class TaskTooLarge(Lint.Linter):
    """A task that is larger than any size of AWS Fargate needs another place there."""

    def task(self, obj: Tree.Task) -> None:
        """Warn of the task's cpu and memory."""
        cpu, memory = (constant(obj.runtime[key]) if key in obj.runtime else None for key in ("cpu", "memory"))
        cores, size = _cores(cpu), _bytes(memory)
        if cores > LARGEST_CPU:
            self.add(obj, f"{cores:g} cores are more than any Fargate size has ({LARGEST_CPU})", obj.runtime["cpu"].pos)
        if size > LARGEST_MEMORY:
            text = f"memory {memory} is more than any Fargate size has ({LARGEST_MEMORY // GIB} GiB)"
            self.add(obj, text, obj.runtime["memory"].pos)


def _cores(cpu: object) -> float:
    try:
        return float(cpu) if isinstance(cpu, int | float | str) else 0
    except ValueError:
        return 0


def _bytes(memory: object) -> int:
    try:
        return parse_bytes(str(memory)) if isinstance(memory, int | float | str) else 0
    except ValueError:
        return 0


class AbsolutePath(Lint.Linter):
    """A path on somebody's machine exists on that machine only."""

    def decl(self, obj: Tree.Decl) -> None:
        """Warn of an input whose default is such a path."""
        owner = getattr(obj, "parent", None)
        inputs = (owner.inputs or []) if isinstance(owner, Tree.Task | Tree.Workflow) else []
        if obj.expr is not None and any(obj is declared for declared in inputs):
            for path in _paths_in(obj.type, constant(obj.expr)):
                self.add(obj, f"default of {obj.type} {obj.name} is a path on one machine: {path}", obj.expr.pos)

    def task(self, obj: Tree.Task) -> None:
        """Warn of such paths in the command."""
        for path, pos in _own_paths(obj):
            self.add(obj, f"the command uses a path on one machine: {path}; make it an input", pos)


def _paths_in(type_: Type.Base, value: object) -> Iterator[str]:
    if isinstance(type_, Type.Array) and isinstance(value, list):
        for item in value:
            yield from _paths_in(type_.item_type, item)
    elif isinstance(type_, Type.File | Type.Directory) and isinstance(value, str) and value.startswith(("/", "~/")):
        yield value


def _own_paths(task: Tree.Task) -> Iterator[tuple[str, SourcePosition]]:
    """Yield the paths of `_OWN_PATH` in the command as it is written, and where each is."""
    document: Tree.Document = getattr(task, "parent")  # noqa: B009 - set by the walkers that come before the linters
    where = task.command.pos
    for line in range(where.line, where.end_line + 1):
        source = document.source_lines[line - 1]
        begin = where.column - 1 if line == where.line else 0
        end = where.end_column - 1 if line == where.end_line else len(source)
        if not source.lstrip().startswith("#"):
            for match in _OWN_PATH.finditer(source, begin, end):
                start, stop = (column + 1 for column in match.span())
                yield match.group(), SourcePosition(where.uri, where.abspath, line, start, line, stop)


LINTERS: tuple[type[Lint.Linter], ...] = (MissingImage, UnpinnedImage, MemoryWithoutUnit, TaskTooLarge, AbsolutePath)


def install() -> None:
    """Let the linters take part in `WDL.Lint.lint` in this process; a second call changes nothing."""
    for linter in LINTERS:
        if linter not in Lint._all_linters:
            Lint.a_linter(linter)
