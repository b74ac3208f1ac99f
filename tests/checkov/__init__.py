"""checkov, which reads the template as a security officer's tool does, in an environment of its own.

It pins what it stands on, boto3 among it, far from what this project is tested with. So it lives in
`.cache/checkov`, made once from `requirements.lock` (hashes and all; `make lock` renews it) in a few seconds by uv,
which the same file pins.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

__all__ = ["environment", "failed_checks"]

LOCK = Path(__file__).with_name("requirements.lock")
CACHE = Path(__file__).parents[2] / ".cache" / "checkov"


def failed_checks(template: Path) -> list[tuple[str, str]]:
    """Return what checkov has against a template: the check's id, and the logical id of what it is about."""
    command = [str(environment() / "bin" / "checkov"), "-f", str(template), "--framework", "cloudformation"]
    options = ["--compact", "--quiet", "--skip-download", "-o", "json"]
    # Status 1 says that a check failed.
    answer = subprocess.run(
        [*command, *options], capture_output=True, text=True, env={**os.environ, "LOG_LEVEL": "ERROR"}
    )
    assert answer.returncode in (0, 1), answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    assert not found["summary"]["parsing_errors"] and found["summary"]["passed"]
    return sorted((each["check_id"], each["resource"].rpartition(".")[2]) for each in found["results"]["failed_checks"])


def environment() -> Path:
    """Return checkov's environment, made where there is none for this lock file and this Python."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    place = CACHE / f"{python}-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    if not (place / "made").exists():
        venv.create(place, with_pip=True, clear=True)
        installer = place / "installer.lock"
        installer.write_text(_pinned("uv"))
        interpreter = str(place / "bin" / "python")
        pip = [interpreter, "-m", "pip", "--quiet", "--quiet", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(installer)], check=True)
        uv = [str(place / "bin" / "uv"), "pip", "install", "--quiet", "--python", interpreter]
        subprocess.run([*uv, "--require-hashes", "-r", str(LOCK)], check=True)
        (place / "made").touch()
    return place


def _pinned(name: str) -> str:
    """Return the lines of the lock file that are about a package."""
    found = re.search(rf"^{name}==[^\n]*\\\n(?:    --hash=[^\n]*\n?)+", LOCK.read_text(), re.MULTILINE)
    assert found is not None
    return found[0]
