"""Loads ministack and puts repairs into it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from ..errors import BaseChanged
from ..settings import ACCOUNT, REGION, Settings

__all__ = ["VERSION", "environment", "load", "module", "replace", "wrap"]

VERSION = "1.5.33"


def environment(settings: Settings, port: int) -> Mapping[str, str]:
    """Return the variables that ministack reads when it is imported; nothing listens but our own port."""
    return {
        "AUTH": "true" if settings.enforce_iam else "false",
        "AWS_ACCESS_KEY_ID": settings.root.key,
        "AWS_SECRET_ACCESS_KEY": settings.root.secret,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": settings.log_level,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "SFTP_ENABLED": "0",
    }


def load(settings: Settings, port: int, more: Mapping[str, str]) -> ModuleType:
    """Import ministack's application into this process, which can hold one only, and return its module.

    `more` are further variables for it. Raises BaseChanged for a version other than the pinned one.
    """
    os.environ.update({**environment(settings, port), **more})
    from importlib import metadata

    found = metadata.version("ministack")
    if found != VERSION:
        raise BaseChanged(f"the simulator needs ministack {VERSION}, but {found} is installed")
    app = importlib.import_module("ministack.app")
    # It would remove every container that another ministack of this machine has started.
    replace(app, "_docker_socket_present", lambda: False)
    return app


def module(name: str) -> Any:
    """Import a module of ministack, `services.ecs` for one; its types are its own affair."""
    return importlib.import_module(f"ministack.{name}")


def replace(place: Any, name: str, repair: Any) -> Any:
    """Put a repair in the place of what a module has under a name, and return that.

    Raises BaseChanged if there is nothing.
    """
    if not hasattr(place, name):
        raise BaseChanged(f"ministack has no {getattr(place, '__name__', place)}.{name}")
    original = getattr(place, name)
    setattr(place, name, repair)
    return original


def wrap(place: Any, name: str, repair: Callable[..., Any]) -> None:
    """Put a repair around a function of a module: it is called with the function, then with what that would get.

    Raises BaseChanged if there is no such function.
    """
    replace(place, name, partial(repair, getattr(place, name, None)))
