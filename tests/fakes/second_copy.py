"""A module loaded once more, for tests that change it: the one that everybody else imports stays as it is."""

from __future__ import annotations

import importlib.util
from types import ModuleType

__all__ = ["second_copy"]


def second_copy(name: str) -> ModuleType:
    """Load a module again, without anybody else seeing it."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
