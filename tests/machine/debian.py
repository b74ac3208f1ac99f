"""Install the Debian packages that the tests need, where they are missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["PACKAGES", "install_missing", "is_debian"]

PACKAGES = (
    # engines; runc, since crun refuses the cgroups of some test machines
    "docker.io",
    "podman",
    "runc",
    "tini",
    "uidmap",
    "bubblewrap",
    "docker-registry",  # images are pulled from it
    # what the test image is made of
    "bash",
    "busybox-static",
    # examples/variants: its tools for the process backend, and its data
    "bwa",
    "samtools",
    "bcftools",
    "bowtie2-examples",
    # tests/browser
    "chromium",
)


def is_debian() -> bool:
    """Say whether this machine is Debian or derived from it."""
    return Path("/etc/debian_version").exists()


def install_missing() -> list[str]:
    """Install what is missing, and return it.

    Raises CalledProcessError when apt cannot.
    """
    missing = [package for package in PACKAGES if not _installed(package)]
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet = ["apt-get", "--quiet=2", "-o", "Acquire::Retries=3", "-o", "Dpkg::Use-Pty=0"]
        subprocess.run([*quiet, "update"], env=environment, check=True)
        install = ["install", "--yes", "--no-install-recommends", *missing]
        subprocess.run([*quiet, *install], env=environment, check=True, stdout=subprocess.DEVNULL)
    return missing


def _installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"
