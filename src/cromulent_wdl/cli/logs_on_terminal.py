"""miniwdl's log on standard error: all of it with -v, else only warnings; run directories have all of it anyway."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from WDL._util import StructuredLogMessage, configure_logger

from . import ui
from .options import RunOptions

__all__ = ["logging_to_terminal"]

_SAID_BETTER = ("running miniwdl as root is usually avoidable (see docs)",)
_OF_RESUMING = "call subdirectory already exists, conflict likely"
"""What miniwdl says of each call's directory where a run goes on in its own."""


class _Warnings(logging.Handler):
    """Says warnings in one line each; errors are left to the summary at the run's end, which says them better."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            return
        message = record.msg
        if isinstance(message, StructuredLogMessage):
            if message.message == _OF_RESUMING and _is_resumed(message.kwargs.get("dir", "")):
                return
            details = ", ".join(f"{name}: {value}" for name, value in message.kwargs.items())
            text = f"{message.message} ({details})" if details else message.message
        else:
            text = record.getMessage()
        if text not in _SAID_BETTER:
            ui.note(f"note: {text}")


def _is_resumed(directory: str) -> bool:
    from ..plugin import session  # with the engine; who has such a message has it already

    run = session.find(directory)
    return run is not None and run.resumed


@contextmanager
def logging_to_terminal(options: RunOptions) -> Iterator[None]:
    """Send the log to standard error for the length of the block."""
    root = logging.getLogger()
    if options.no_color:
        os.environ.setdefault("NO_COLOR", "1")
    if not (options.verbose or options.debug or options.log_json):
        handler: logging.Handler = _Warnings()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)
        return
    logging.basicConfig(level=root.level)
    with configure_logger(json=options.log_json):
        yield
