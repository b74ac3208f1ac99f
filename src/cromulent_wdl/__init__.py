"""Run WDL workflows on the machine in front of you, or on AWS Fargate.

The language and the workflow engine are miniwdl's. This package gives it backends that execute tasks, and a
command line around it. Read `backends` for the seam between the two, `plugin` for how miniwdl sees us,
`cli` for what people type, `api` for the same from Python: `cromulent_wdl.run("hello.wdl", {"name": "World"})`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own costs a fifth of `cromulent --help`
if TYPE_CHECKING:
    from .api import Run, RunFailed, attach, run

__all__ = ["Run", "RunFailed", "__version__", "attach", "run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import what runs workflows when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import api

    return getattr(api, name)
