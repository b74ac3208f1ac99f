"""How the process `cromulent` ends: at once, but with all done that is to be done."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading
from cromulent_wdl import __main__ as program

class Module:
    def __del__(self):
        print("taken apart", file=sys.stderr)

def finish():
    release.wait(60)
    print("thread", file=sys.stderr)

def main():
    import logging.handlers
    logging.getLogger().addHandler(logging.handlers.MemoryHandler(100, target=logging.StreamHandler(sys.stderr)))
    logging.getLogger().warning("logged")
    atexit.register(print, "registered", end="", file=sys.stderr)
    atexit.register(print, "late", end="")
    threading.Thread(target=finish).start()
    threading.Timer(0.05, release.set).start()
    print("result,", end=" ")
    {ending}

kept = Module()
release = threading.Event()
program.main = main
program.process()
"""


@pytest.mark.parametrize(
    ("ending", "status"), [("sys.exit(7)", 7), ("sys.exit(0)", 0), ("sys.exit()", 0), ("raise SystemExit(141)", 141)]
)
def test_threads_are_waited_for_and_what_is_registered_is_called_but_nothing_taken_apart(
    ending: str, status: int
) -> None:
    done = _leaving(ending)
    assert (done.returncode, done.stdout) == (status, "result, late")
    assert done.stderr == "thread\nregisteredlogged\n"


def test_what_goes_wrong_on_the_way_is_python_s_to_tell() -> None:
    done = _leaving("raise ValueError('odd')")
    assert (done.returncode, done.stdout) == (1, "result, late")
    assert "ValueError: odd" in done.stderr and "taken apart" in done.stderr


def _leaving(ending: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM.replace("{ending}", ending)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)
