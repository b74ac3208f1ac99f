"""The least that a hundred containers take: create, start, wait and remove them, two at a time, and nothing else.

Arguments: the image, the number of containers, and a directory in which each finds an input and leaves an output.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker

IMAGE, COUNT, PLACE = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
CLIENT = docker.from_env()


def run(number: int) -> int:
    """Run one container to its end."""
    work = PLACE / str(number)
    work.mkdir()
    container = CLIENT.containers.create(
        IMAGE,
        ["/bin/bash", "-c", f"echo 'copying for {number}' >&2; cat /input.txt > {number}.txt"],
        working_dir="/work",
        volumes=[f"{PLACE}/input.txt:/input.txt:ro", f"{work}:/work"],
        nano_cpus=1_000_000_000,
        mem_limit=64 << 20,
        network_mode="none",
    )
    try:
        container.start()
        return int(container.wait()["StatusCode"])
    finally:
        container.remove()


if __name__ == "__main__":
    (PLACE / "input.txt").write_text("content\n")
    with ThreadPoolExecutor(2) as pool:
        failed = sum(status != 0 for status in pool.map(run, range(COUNT)))
    print(f"{COUNT} containers, {failed} failed")
    sys.exit(failed)
