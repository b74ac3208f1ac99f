"""The template, as it is shipped."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

__all__ = ["body"]


@lru_cache
def body() -> str:
    """Return the text of the template."""
    return resources.files(__package__).joinpath("template.yaml").read_text(encoding="utf-8")
