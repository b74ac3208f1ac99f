"""botocore's descriptions of services, of which every command that asks AWS reads several megabytes."""

from __future__ import annotations

import gzip
from contextlib import suppress
from typing import Any

import msgspec
from botocore.loaders import JSONFileLoader

__all__ = ["Models"]


class Models(JSONFileLoader):
    """Reads them by msgspec, in a third to a tenth of the time that it takes to make ordered dictionaries of them."""

    def load_file(self, file_path: str) -> Any:
        """Return what is in a file, whose name is given without `.json` or `.json.gz`; None where there is none."""
        with suppress(FileNotFoundError), open(f"{file_path}.json", "rb") as plain:
            return msgspec.json.decode(plain.read())
        with suppress(FileNotFoundError), gzip.open(f"{file_path}.json.gz") as packed:
            return msgspec.json.decode(packed.read())
        return None
