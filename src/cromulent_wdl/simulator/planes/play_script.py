"""How long tasks that are only played last, and how they end; from a small file (TOML or JSON) or as it stands.

::

    seed = 1
    [[rules]]                     # the first whose family fits
    family = "align-*"
    seconds = [2.0, 5.0]
    exit_codes = { 0 = 0.95, 1 = 0.05 }

A container whose environment has PLAY_SECONDS or PLAY_EXIT_CODE lasts and ends as that says.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from ..ecs.seam import ContainerPlan

__all__ = ["PlayRule", "PlayScript", "read_script"]


class PlayRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the tasks of some families go."""

    family: str = "*"
    pull_seconds: tuple[float, float] = (0.0, 0.0)
    seconds: tuple[float, float] = (1.0, 1.0)
    exit_codes: dict[int, float] = msgspec.field(default_factory=lambda: {0: 1.0})
    """Chances of exit codes, as weights."""
    ignores_sigterm: bool = False

    def draw_pull(self, chances: random.Random) -> float:
        """Return how long the pull takes."""
        return chances.uniform(*self.pull_seconds)

    def draw(self, container: ContainerPlan, chances: random.Random) -> tuple[float, int]:
        """Return how long a container lasts, and its exit code."""
        environment: Mapping[str, str] = container.environment
        codes = list(self.exit_codes)
        weights = [self.exit_codes[each] for each in codes]
        code = chances.choices(codes, weights)[0] if len(codes) > 1 else codes[0]
        seconds = chances.uniform(*self.seconds)
        return float(environment.get("PLAY_SECONDS", seconds)), int(environment.get("PLAY_EXIT_CODE", code))


class PlayScript(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How all tasks go."""

    seed: int = 0
    rules: tuple[PlayRule, ...] = ()

    def rule(self, family: str) -> PlayRule:
        """Return the rule for a family."""
        return next((rule for rule in self.rules if fnmatchcase(family, rule.family)), _DEFAULT)


_DEFAULT = PlayRule()


def read_script(file: Path) -> PlayScript:
    """Return the script in a TOML or JSON file; msgspec.DecodeError or ValidationError says what is wrong with it."""
    content = file.read_bytes()
    if file.suffix == ".json":
        return msgspec.json.decode(content, type=PlayScript)
    return msgspec.toml.decode(content, type=PlayScript)
