"""Python environments for us and for the peers, each made once in the cache directory of this checkout."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CACHE", "HERE", "Absent", "Environment", "cromulent", "miniwdl", "padding", "peer"]

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
CACHE = CHECKOUT / ".cache" / "benchmarks"


class Absent(Exception):
    """Something that a goal is measured against is not here, and could not be installed."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment and what is asked for in it."""

    path: Path

    def program(self, name: str) -> str:
        """Return the path of a program of the environment."""
        return str(self.path / "bin" / name)

    def distributions(self) -> dict[str, str]:
        """Return the version of each installed distribution."""
        listing = _call([self.program("python"), "-m", "pip", "list", "--format", "json"])
        return {entry["name"]: entry["version"] for entry in json.loads(listing)}


@functools.cache
def cromulent() -> Environment:
    """Return an environment with this checkout as its users get it: installed, not editable."""
    sources = sorted([CHECKOUT / "pyproject.toml", *(CHECKOUT / "src").rglob("*.py")])
    digest = hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in sources)).hexdigest()
    return _environment("cromulent", (str(CHECKOUT),), stamp=digest)


@functools.cache
def miniwdl() -> Environment:
    """Return an environment with the same miniwdl as ours, and nothing of ours."""
    return _environment("miniwdl", (f"miniwdl=={cromulent().distributions()['miniwdl']}",))


@functools.cache
def peer(requirement: str) -> Environment:
    """Return an environment with one other engine."""
    return _environment(requirement.partition("[")[0], (requirement,))


def _environment(name: str, requirements: tuple[str, ...], stamp: str = "") -> Environment:
    environment = Environment(CACHE / "environments" / name)
    expected = json.dumps([requirements, stamp, sys.version])
    done = environment.path / "installed"
    if not done.exists() or done.read_text() != expected:
        print(f"  installing {' '.join(requirements)}", file=sys.stderr, flush=True)
        if not environment.path.exists():
            _call([sys.executable, "-m", "venv", str(environment.path)])
        pip = [environment.program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if stamp:
            _call([*pip, "--force-reinstall", "--no-deps", *requirements])
        _call([*pip, *requirements])
        done.write_text(expected)
    return environment


def _call(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Absent(f"`{' '.join(command)}` failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def padding(environment: Environment, total: int, already: int = 0) -> str:
    """Return a directory for PYTHONPATH with as many empty distributions as make `total` in the environment.

    `already` others come from elsewhere. Every third has a script among its entry points, as it is with real ones.
    """
    count = total - already - len(environment.distributions())
    if count < 0:
        raise Absent(f"{environment.path.name} has {-count} distributions too many to be measured with {total}")
    site = CACHE / "padding" / str(count)
    for number in range(count):
        directory = site / f"padding_{number}-1.0.dist-info"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "METADATA").write_text(f"Metadata-Version: 2.1\nName: padding-{number}\nVersion: 1.0\n")
        if number % 3 == 0:
            (directory / "entry_points.txt").write_text(f"[console_scripts]\npadding{number} = padding:main\n")
    site.mkdir(parents=True, exist_ok=True)
    return str(site)
