"""The least that containers take: create, start, wait and remove them, two at a time, and nothing else.

Arguments: the image, the number of containers, and a directory in which each finds an input and leaves an output.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker

IMAGE, COUNT, PLACE = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
API = docker.from_env().api
MEMORY = 64 << 20


def run(number: int) -> int:
    """Run one container to its end and return its exit status."""
    work = PLACE / str(number)
    work.mkdir()
    binds = [f"{PLACE}/input.txt:/input.txt:ro", f"{work}:/work"]
    container = API.create_container(
        IMAGE,
        ["/bin/bash", "-c", f"echo 'copying for {number}' >&2; cat /input.txt > {number}.txt"],
        working_dir="/work",
        host_config=API.create_host_config(binds=binds, mem_reservation=MEMORY),
    )["Id"]
    try:
        API.start(container)
        return int(API.wait(container)["StatusCode"])
    finally:
        API.remove_container(container)


if __name__ == "__main__":
    (PLACE / "input.txt").write_text("content\n")
    with ThreadPoolExecutor(2) as pool:
        failed = sum(status != 0 for status in pool.map(run, range(COUNT)))
    print(f"{COUNT} containers, {failed} failed")
    sys.exit(failed)
