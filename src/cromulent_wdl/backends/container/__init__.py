"""Tasks in containers, by Docker or Podman.

A `Task` becomes a container request in `request.py`, which is pure. `workspace.py` makes the files ready on
this host, `backend.py` asks the engine to create, start, wait and remove. In the container `wrapper.py`'s script
runs the command and leaves its figures in `usage.txt`; from those, the exit status and the engine's errors
`decode.py` tells how the attempt ended.
"""

from .backend import ContainerBackend
from .opening import docker, podman

__all__ = ["ContainerBackend", "docker", "podman"]
