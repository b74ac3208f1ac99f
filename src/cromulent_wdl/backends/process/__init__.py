"""Runs tasks as plain processes of this machine, in a bubblewrap sandbox where that works.

A task's shell is started in its working directory with the command's file as its argument; its output goes
straight to the task's files, and a blocked thread waits for its end, so nothing polls. Paths are this machine's:
the command sees its directory where it lies. Read `backend.py` first. Around it: `workspace.py` lays out the
working directory, `environment.py` decides what the command inherits, `sandbox.py` writes bubblewrap's command line,
`limits.py` enforces memory limits by cgroups, `running.py` is one started command and `stopping.py` ends it
when the run is cancelled, `../verdict.py` says how it ended.
"""

from .backend import ProcessBackend

__all__ = ["ProcessBackend"]
