"""Docker and Podman by the Engine API, the only package that speaks it.

`connect.py` finds an engine and answers with an `Engine` (`client.py`), whose `facts` say what it is. A
`ContainerRequest` goes in and becomes the engine's own JSON in `dialects.py`, the one place where Docker and
Podman differ; what the engine says when it refuses becomes one of our errors by the table in `decode.py`.
`images.py` sees to it that an image is pulled or built once, however many tasks want it; `sweep.py` removes
what a dead head left behind. The `docker` library is imported only when an engine is really looked for.
"""

from .client import Engine
from .connect import connect
from .decode import decode
from .facts import EngineFacts
from .images import Image, ImageStore, build_tag
from .request import Bind, ContainerRequest
from .sweep import remove_containers_of

__all__ = [
    "Bind",
    "ContainerRequest",
    "Engine",
    "EngineFacts",
    "Image",
    "ImageStore",
    "build_tag",
    "connect",
    "decode",
    "remove_containers_of",
]
