"""An image of Debian's python3 alone: what a head's container is to get by with, from this machine's own packages."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from pathlib import Path

from .archive import add_file, image_archive

__all__ = ["TAG", "python_image", "refusal"]

TAG = "cromulent-tests/debian-python:1"
PYTHON = Path("/usr/bin/python3")


def refusal() -> str | None:
    """Say why the image cannot be made on this machine, or return None."""
    return None if PYTHON.exists() and Path("/usr/bin/dpkg").exists() else "Debian's python3 is not installed"


def python_image() -> bytes:
    """Return the image, ready to be loaded: the interpreter, its library, the C libraries that these need."""
    version = PYTHON.resolve().name
    files = {PYTHON.resolve()}
    for package in ("libc6", f"{version}-minimal", f"lib{version}-minimal", f"lib{version}-stdlib"):
        listed = subprocess.run(["dpkg", "-L", package], check=True, capture_output=True, text=True).stdout
        files |= {Path(line) for line in listed.splitlines() if "/share/" not in line and Path(line).is_file()}
    for binary in [file for file in files if file.suffix == ".so" or file == PYTHON.resolve()]:
        files |= set(_libraries(binary))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for directory in ("tmp", "mnt"):
            _add_directory(tar, directory)
        for file in sorted(files):
            add_file(tar, str(file).lstrip("/"), file.read_bytes(), 0o755 if os.access(file, os.X_OK) else 0o644)
        link = tarfile.TarInfo("usr/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, version
        tar.addfile(link)
    return image_archive(buffer.getvalue(), (TAG,), {"Env": ["PATH=/usr/bin"]})


def _libraries(binary: Path) -> list[Path]:
    listing = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", listing)]


def _add_directory(tar: tarfile.TarFile, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE
    entry.mode = 0o1777
    tar.addfile(entry)
