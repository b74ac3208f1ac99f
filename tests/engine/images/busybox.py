"""The layer of the usual test image: a static busybox for the commands, and this machine's bash."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from .archive import add_file, image_archive

__all__ = ["TAG", "UBUNTU_TAG", "busybox_image", "busybox_layer", "refusal"]

TAG = "cromulent-tests/busybox:1"
# miniwdl's default image, in the full form that gives it its short name on Docker as well as on Podman.
# Only engines that tests started for themselves may be told this lie.
UBUNTU_TAG = "docker.io/library/ubuntu:22.04"
USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"


def refusal() -> str | None:
    """Say why the image cannot be made on this machine, or return None."""
    missing = [name for name in ("busybox", "bash", "ldd") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not installed (Debian: busybox-static)" if missing else None


def busybox_layer() -> bytes:
    """Return a tar of the whole file system, the same bytes for the same busybox and bash."""
    busybox = Path(str(shutil.which("busybox")))
    bash = Path(str(shutil.which("bash"))).resolve()
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for directory, mode in (("bin", 0o755), ("etc", 0o755), ("root", 0o700), ("tmp", 0o1777), ("usr/bin", 0o755)):
            _add_directory(tar, directory, mode)
        add_file(tar, "bin/busybox", busybox.read_bytes(), 0o755)
        add_file(tar, "bin/bash", bash.read_bytes(), 0o755)
        for applet in sorted({*applets} - {"busybox", "bash"}):
            _add_link(tar, f"bin/{applet}", "busybox")
        _add_link(tar, "usr/bin/env", "/bin/env")
        for library in _libraries(bash):
            add_file(tar, str(library).lstrip("/"), library.read_bytes(), 0o755)
        add_file(tar, "etc/passwd", USERS.encode())
        add_file(tar, "etc/group", GROUPS.encode())
    return buffer.getvalue()


def busybox_image(*tags: str) -> bytes:
    """Return the image under its own tag and these, ready to be loaded."""
    return image_archive(busybox_layer(), (TAG, *tags))


def _libraries(program: Path) -> list[Path]:
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", listing)]


def _add_directory(tar: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE
    entry.mode = mode
    tar.addfile(entry)


def _add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.SYMTYPE
    entry.linkname = target
    tar.addfile(entry)
