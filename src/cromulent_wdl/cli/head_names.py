"""What people call the files of a run in the cloud: what they know of it says this, and not where its head has them.

Inputs from S3 go by their addresses, outputs by those that they get, other files of runs by the run and the call.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from ..model import Event

__all__ = ["Names"]


@dataclass
class Names:
    """Of one run; `inputs` are known once they have been fetched."""

    mount: Path
    run: str
    outputs: str
    """The address under which output files come to lie, with a `/` behind."""
    _inputs: dict[str, str] = field(default_factory=dict)
    """By the beginning of its path what its address begins with, both with a `/` behind."""
    _pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        mount = re.escape(str(self.mount))
        self._pattern = re.compile(
            rf"(?P<input>{mount}/inputs/\w+/)|(?P<output>{mount}/runs/{re.escape(self.run)}/out/)"
            rf"|{mount}/runs/|{mount}/miniwdl_run_zip_\w+/"
        )

    def learn(self, places: Mapping[str, Path]) -> None:
        """Take note of where inputs lie, by their addresses."""
        for address, path in places.items():
            self._inputs[f"{os.path.dirname(path)}/"] = f"{os.path.dirname(address.rstrip('/'))}/"

    def known(self, text: str) -> str:
        """Return a text with the names that people know."""
        return self._pattern.sub(self._name, text)

    def telling(self, listener: Callable[[Event], None]) -> Callable[[Event], None]:
        """Return what tells a listener of events, with the names that people know."""

        def tell(event: Event) -> None:
            texts = {name: text for name, text in msgspec.structs.asdict(event).items() if isinstance(text, str)}
            changed: dict[str, Any] = {
                name: known for name, text in texts.items() if (known := self.known(text)) != text
            }
            listener(msgspec.structs.replace(event, **changed) if changed else event)

        return tell

    def _name(self, found: re.Match[str]) -> str:
        if found["input"]:
            return self._inputs.get(found["input"], found["input"])
        return self.outputs if found["output"] else ""
