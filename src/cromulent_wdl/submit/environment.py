"""What a head needs beside Python, as one zip: this program and what it stands on, in the versions that are here.

::

    all/       packages that are the same everywhere, copied from where they are installed here
    cp310/     packages that are compiled, as pip gets them for Linux on x86_64: one directory a version of Python
    cp311/ …

The zip is named by a digest of what is in it, is kept in this user's cache, and goes to the bucket once.
See docs/adr/0019-environment-of-heads.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata, resources
from pathlib import Path

from ..errors import CromulentError
from ..storage import layout
from .packages import OWN, PYTHONS, Package, needed

__all__ = ["Environment", "EnvironmentFailed", "environment", "gather"]

_FORM = "1"
"""Raised when the form of the zip changes."""
_SERVICES = frozenset(
    {"ecs", "ec2", "ecr", "efs", "logs", "pricing", "s3", "secretsmanager", "service-quotas", "stepfunctions", "sts"}
)
"""What a head asks AWS for; botocore knows 400 services, in 20 of its 21 MB."""
_LEFT_OUT = frozenset({"__pycache__", "tests", "simulator", "reports"})
_TIME = (1980, 1, 1, 0, 0, 0)
_SUMMARY = ("METADATA", "entry_points.txt")


class EnvironmentFailed(CromulentError):
    """The environment of heads cannot be put together."""


@dataclass(frozen=True)
class Environment:
    """A zip that is on this machine."""

    digest: str
    file: Path


def environment(directory: Path | None = None) -> Environment:
    """Return the environment, put together where this user's cache has none. Raises EnvironmentFailed."""
    packages = needed()
    digest = sha256()
    for line in (_FORM, *(f"{each.asked} {each.pythons}" for each in packages)):
        digest.update(line.encode() + b"\n")
    own = sorted(_own(), key=lambda file: file.name)
    for file in own:
        digest.update(file.name.encode() + b"\0" + file.path.read_bytes() + b"\0")
    name = digest.hexdigest()[:32]
    target = (directory or _directory()) / f"{name}.zip"
    if not target.exists():
        _put_together(target, packages, own)
    return Environment(name, target)


def _directory() -> Path:
    path = layout.cache_directory() / "environments"
    path.mkdir(exist_ok=True)
    return path


@dataclass(frozen=True)
class _File:
    """A file and its name in the zip."""

    name: str
    path: Path


def _own() -> Iterator[_File]:
    """Yield our own files, however we are installed, and what says of us which plugins we have."""
    package = Path(str(resources.files(__package__.partition(".")[0])))
    for path in _tree(package):
        yield _File(f"all/{package.name}/{path.relative_to(package)}", path)
    summary = Path(str(getattr(metadata.distribution(OWN), "_path")))  # noqa: B009 - it has no public name
    for name in _SUMMARY:
        yield _File(f"all/{summary.name}/{name}", summary / name)


def _tree(directory: Path) -> Iterator[Path]:
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name not in _LEFT_OUT:
            yield from _tree(Path(entry.path))
        elif entry.is_file() and not entry.name.endswith(".pyc"):
            yield Path(entry.path)


def _put_together(target: Path, packages: Sequence[Package], own: Iterable[_File]) -> None:
    made = target.with_name(f".{target.name}.{os.getpid()}")
    wheels = gather(target.parent, packages)
    try:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in own:
                _add(archive, file.name, file.path.read_bytes())
            for package in packages:
                if not package.compiled:
                    _add_installed(archive, package)
            for python, found in wheels.items():
                for wheel in found:
                    _add_wheel(archive, f"cp{python.replace('.', '')}", wheel)
        os.replace(made, target)
    finally:
        made.unlink(missing_ok=True)


def gather(directory: Path, packages: Sequence[Package] | None = None) -> dict[str, list[Path]]:
    """Return the wheels of what is compiled, by version of Python; pip is asked once for each set of packages.

    A package that has left an old Python behind has none for it; then heads cannot run on that. Raises
    EnvironmentFailed where there are wheels for no version at all.
    """
    compiled = [each for each in (needed() if packages is None else packages) if each.compiled]
    digest = sha256("\n".join(f"{each.asked} {each.pythons}" for each in compiled).encode()).hexdigest()[:32]
    home = directory / f"wheels-{digest}"
    if not home.exists():
        with tempfile.TemporaryDirectory(prefix=".wheels-", dir=directory) as scratch:
            place = Path(scratch, "wheels")
            with ThreadPoolExecutor(len(PYTHONS)) as pool:
                said = list(pool.map(lambda python: _download(compiled, python, place / python), PYTHONS))
            if all(said):
                raise EnvironmentFailed(
                    f"what a head needs cannot be put together: {said[-1]}",
                    hint="a package index must be reachable once, as pip finds it (PIP_INDEX_URL)",
                )
            with suppress(OSError):  # another process was quicker
                os.rename(place, home)
    return {python: sorted(place.glob("*.whl")) for python in PYTHONS if (place := home / python).is_dir()}


def _download(packages: Sequence[Package], python: str, place: Path) -> str:
    """Have pip get the wheels for a version of Python; return why it cannot, or nothing."""
    asked = [each.asked for each in packages if python in each.pythons]
    platforms = [f"--platform=manylinux{name}_x86_64" for name in ("_2_28", "_2_17", "2014")]
    choice = ["--only-binary=:all:", "--no-deps", "--implementation=cp", f"--python-version={python}", *platforms]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    part = place.with_name(f"{place.name}.part")
    got = subprocess.run(
        [sys.executable, "-m", "pip", "download", *quiet, *choice, "--dest", str(part), *asked],
        capture_output=True,
        text=True,
    )
    if got.returncode != 0:
        return " ".join(["pip:", *got.stderr.strip().splitlines()[-1:]])
    os.rename(part, place)
    return ""


def _add_installed(archive: zipfile.ZipFile, package: Package) -> None:
    for file in sorted(metadata.distribution(package.name).files or ()):
        if ".." in file.parts or _LEFT_OUT & {*file.parts[:-1]} or file.suffix == ".pyc":
            continue
        if package.name == "botocore" and _unwanted(file.parts):
            continue
        _add(archive, f"all/{file.as_posix()}", Path(str(file.locate())).read_bytes())


def _unwanted(parts: tuple[str, ...]) -> bool:
    """Whether a file of botocore's describes a service that no head asks."""
    return len(parts) > 3 and parts[:2] == ("botocore", "data") and parts[2] not in _SERVICES


def _add_wheel(archive: zipfile.ZipFile, directory: str, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as unpacked:
        for info in unpacked.infolist():
            if not info.is_dir():
                _add(archive, f"{directory}/{info.filename}", unpacked.read(info))


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)
