"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Scale"]

Size = TypeVar("Size")


@dataclass(frozen=True)
class Scale:
    """The size of the work and how often it is done."""

    repetitions: int = 5
    quick: bool = False
    """Smaller work and fewer repetitions: to see that everything works, not to tell whether a goal is met."""

    @property
    def times(self) -> int:
        """Return how often each command is measured."""
        return min(self.repetitions, 2) if self.quick else self.repetitions

    def size(self, full: Size, quick: Size) -> Size:
        """Return the size of some work."""
        return quick if self.quick else full
