"""Python's collector while a workflow runs: the results of calls, nearly all that is made, stay to its end."""

from __future__ import annotations

import gc

__all__ = ["spare_what_stays"]

_COLLECT_EVERY = 5_000
"""Objects made between garbage collections: as many as a processor's own memory holds."""
_LOOK_AGAIN_EVERY = 50
"""Collections between looks at what has survived one: nearly all of that are results of calls, and stays."""


def spare_what_stays() -> None:
    """Have garbage looked for only among what the run makes; modules and the document stay to its end."""
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, _LOOK_AGAIN_EVERY)
