"""Which Python packages a head needs: what is installed here for this project, in the versions that are here.

A head runs on Linux, x86_64, on a Python that its image has; requirements that depend on these are judged for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["OWN", "PYTHONS", "Package", "needed"]

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
"""The versions of Python that a head can run on."""

OWN = "cromulent-wdl"

_NOT_THERE = frozenset({"rich", "questionary", "pip", "jinja2", "networkx", "resvg-py"})
"""What only people at a terminal need, what draws reports, and what gathers environments."""


@dataclass(frozen=True)
class Package:
    """One package; without a version it is not installed here, and the newest that fits `asked` will do."""

    name: str
    version: str
    asked: str
    """As pip takes it: `boto3==1.40.1`."""
    compiled: bool
    """Whether it is, or may be, another on another machine or Python."""
    pythons: tuple[str, ...]
    """The versions of Python that want it."""


def needed(root: str = OWN) -> tuple[Package, ...]:
    """Return every package that a head needs beside our own, by name."""
    wanted: dict[str, set[str]] = {}
    asked: dict[str, Requirement] = {}
    for python in PYTHONS:
        _follow(root, frozenset(), python, wanted, asked)
    return tuple(_package(name, wanted[name], asked[name]) for name in sorted(wanted))


def _follow(
    name: str, extras: frozenset[str], python: str, wanted: dict[str, set[str]], asked: dict[str, Requirement]
) -> None:
    for requirement in _requirements(name, extras, python):
        needs = canonicalize_name(requirement.name)
        if needs in _NOT_THERE or python in wanted.get(needs, ()):
            continue
        wanted.setdefault(needs, set()).add(python)
        asked.setdefault(needs, requirement)
        _follow(needs, frozenset(requirement.extras), python, wanted, asked)


def _requirements(name: str, extras: Iterable[str], python: str) -> list[Requirement]:
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []  # not here, since this machine does not need it; pip will see to it
    surroundings = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    found = [Requirement(line) for line in lines]
    return [
        each
        for each in found
        if each.marker is None or any(each.marker.evaluate({**surroundings, "extra": extra}) for extra in ("", *extras))
    ]


def _package(name: str, pythons: set[str], asked: Requirement) -> Package:
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return Package(name, "", f"{asked.name}{asked.specifier}", True, tuple(sorted(pythons)))
    files = found.files
    compiled = files is None or any(file.suffix in (".so", ".pyd", ".dylib") for file in files)
    return Package(name, found.version, f"{name}=={found.version}", compiled, tuple(sorted(pythons)))
