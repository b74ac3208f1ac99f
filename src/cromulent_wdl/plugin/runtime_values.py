"""What tasks say in `runtime` that miniwdl itself leaves aside, or leaves to us to judge."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from WDL import Error, Type, Value
from WDL._util import StructuredLogMessage
from WDL.runtime import config

from ..units import GIB

__all__ = ["IN_CLOUD", "architecture_of", "disk_of", "guard_network", "timeout_of"]

IN_CLOUD = ("architecture", "disks", "platform", "timeout_minutes")
"""What is heeded in a cloud alone."""

_SIZE = re.compile(r"(?<![\w/.-])(\d+(?:\.\d+)?)\s*([KMGT]i?B?)?(?![\w.])")
_UNITS = {"K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4}
_ARCHITECTURES = {
    "arm64": "arm64", "aarch64": "arm64", "linux/arm64": "arm64", "graviton": "arm64",
    "amd64": "amd64", "x86_64": "amd64", "linux/amd64": "amd64",
}  # fmt: skip


def disk_of(runtime: Mapping[str, Value.Base]) -> int:
    """Return the bytes in `disks`: "local-disk 100 SSD", "100 GiB", 100, or several; a bare number means GiB."""
    value = runtime.get("disks")
    if value is None or isinstance(value, Value.Null):
        return 0
    parts = value.value if isinstance(value, Value.Array) else [value]
    return sum(_disk(str(part.coerce(Type.String()).value)) for part in parts)


def _disk(text: str) -> int:
    total = 0
    for part in text.split(","):
        found = _SIZE.search(part)
        if found is None:
            raise Error.RuntimeError(f"runtime.disks cannot be '{text}': it is as in 'local-disk 100 SSD' or '100 GiB'")
        unit = (found.group(2) or "").removesuffix("B")
        total += int(float(found.group(1)) * (_UNITS[unit] if unit else GIB))
    return total


def timeout_of(runtime: Mapping[str, Value.Base]) -> float | None:
    """Return the seconds in `timeout_minutes`, or None where it is not given."""
    value = runtime.get("timeout_minutes")
    if value is None or isinstance(value, Value.Null):
        return None
    try:
        minutes = float(value.coerce(Type.Float()).value)
    except (Error.RuntimeError, ValueError, TypeError) as error:
        raise Error.RuntimeError("invalid setting of runtime.timeout_minutes") from error
    if minutes <= 0:
        raise Error.RuntimeError("invalid setting of runtime.timeout_minutes: it must be more than nothing")
    return 60 * minutes


def architecture_of(runtime: Mapping[str, Value.Base]) -> str:
    """Return `arm64` or `amd64` where `architecture` asks for one, else nothing."""
    value = runtime.get("architecture", runtime.get("platform"))
    if value is None or isinstance(value, Value.Null):
        return ""
    asked = str(value.coerce(Type.String()).value).lower()
    if asked not in _ARCHITECTURES:
        raise Error.RuntimeError(f"runtime.architecture cannot be '{asked}': it is arm64 or amd64")
    return _ARCHITECTURES[asked]


def guard_network(values: dict[str, Any], cfg: config.Loader, logger: logging.Logger) -> None:
    """Drop a network that the configuration does not allow, with miniwdl's warning."""
    network = values.get("docker_network")
    if network and network not in cfg["docker_swarm"].get_list("allow_networks"):
        logger.warning(
            StructuredLogMessage(
                "runtime.docker_network ignored; the network's name must appear in the JSON list of configuration"
                " [docker_swarm] allow_networks / environment MINIWDL__DOCKER_SWARM__ALLOW_NETWORKS",
                docker_network=network,
            )
        )
        del values["docker_network"]
