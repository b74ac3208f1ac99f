"""ministack's own way of keeping its state: a JSON file a service, and S3's objects as files.

It would load them when it begins to serve and write them when it ends; when to do so is ours (`keeping.py`), how is its
own: a service whose state changes while it is read is left as it was, and read again the next time. Executions of
Step Functions that ran are FAILED afterwards, with States.ServiceRestart.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import base

__all__ = ["environment", "load", "save"]


def environment(services: Path, objects: Path) -> Mapping[str, str]:
    """Return the variables that ministack reads when it is imported."""
    return {
        "PERSIST_STATE": "1",
        "STATE_DIR": str(services),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(objects),
    }


def load() -> None:
    """Begin with the state that was kept."""
    app = base.module("app")
    base.replace(app, "PERSIST_STATE", False)
    app._load_persisted_state()


def save() -> None:
    """Write the state of all services."""
    base.module("core.persistence").save_all(base.module("app")._build_persistence_save_dict())
