"""What engines have been heard to say, and the error that each amounts to."""

from __future__ import annotations

import pytest

from cromulent_wdl import errors
from cromulent_wdl.engine.decode import Operation, decode

# operation, what was said, error, words of the sentence
SAYINGS: list[tuple[Operation, str, type[errors.EngineError], str]] = [
    # Docker
    ("pull", "manifest for alpine:nosuch not found: manifest unknown: manifest unknown", errors.ImageNotFound, "exist"),
    (
        "pull",
        "pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested"
        " access to the resource is denied",
        errors.ImageNotFound,
        "without logging in",
    ),
    (
        "pull",
        'Head "https://quay.io/v2/lab/x/manifests/1": unauthorized: access to the requested resource is not authorized',
        errors.ImageNotFound,
        "without logging in",
    ),
    ("pull", "toomanyrequests: You have reached your pull rate limit.", errors.ImagePullFailed, "no more for now"),
    (
        "pull",
        'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: no such host',
        errors.ImagePullFailed,
        "does not answer",
    ),
    ("pull", 'Get "https://quay.io/v2/": net/http: TLS handshake timeout', errors.ImagePullFailed, "does not answer"),
    ("pull", "received unexpected HTTP status: 503 Service Unavailable", errors.ImagePullFailed, "does not answer"),
    ("pull", "failed to register layer: write /usr/lib/x: no space left on device", errors.EngineDiskFull, "no space"),
    ("pull", "no matching manifest for linux/arm64/v8 in the manifest list entries", errors.ImageNotFound, "not exist"),
    ("pull", "something that nobody has seen", errors.ImagePullFailed, "could not be pulled"),
    ("create", "No such image: cromulent:1", errors.ImageNotFound, "does not exist"),
    (
        "create",
        'invalid mount config for type "bind": bind source path does not exist: /data/x',
        errors.MountFailed,
        "/x",
    ),
    ("create", "Mounts denied: The path /data is not shared from the host", errors.MountFailed, "/data"),
    ("create", "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", errors.EngineError, "refused"),
    (
        "start",
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process:"
        ' exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown',
        errors.NoShell,
        "has no /bin/sh",
    ),
    ("start", "exec /bin/sh: exec format error", errors.NoShell, "another kind of processor"),
    (
        "start",
        "OCI runtime create failed: runc create failed: unable to start container process: error during container"
        ' init: error mounting "/a" to rootfs at "/b": not a directory',
        errors.MountFailed,
        "could not be mounted",
    ),
    ("wait", "No such container: 6da2eaa17082", errors.ContainerVanished, "removed while"),
    ("build", "The command '/bin/sh -c curl x' returned a non-zero code: 502", errors.ImageBuildFailed, "command of"),
    ("build", "dockerfile parse error line 1: unknown instruction: FRUM", errors.ImageBuildFailed, "does not build"),
    ("build", "dial tcp: lookup registry-1.docker.io: no such host", errors.ImagePullFailed, "the base image"),
    # Podman
    ("create", "no such image: docker.io/library/nosuch:1: image not known", errors.ImageNotFound, "does not exist"),
    (
        "start",
        "crun: executable file `/bin/sh` not found in $PATH: No such file or directory: OCI runtime attempted to invoke"
        " a command that was not found",
        errors.NoShell,
        "has no /bin/sh",
    ),
    ("start", "crun: open executable: Exec format error: OCI runtime error", errors.NoShell, "processor"),
    (
        "start",
        'runc: runc create failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or'
        " directory: OCI runtime attempted to invoke a command that was not found",
        errors.NoShell,
        "has no /bin/sh",
    ),
    ("create", "statfs /data/x: no such file or directory", errors.MountFailed, "/data/x"),
    (
        "pull",
        "initializing source docker://quay.io/lab/x:1: reading manifest 1 in quay.io/lab/x: name unknown: repository"
        " not found",
        errors.ImageNotFound,
        "does not exist",
    ),
    (
        "pull",
        "initializing source docker://127.0.0.1:9/x:1: pinging container registry 127.0.0.1:9: dial tcp 127.0.0.1:9:"
        " connect: connection refused",
        errors.ImagePullFailed,
        "does not answer",
    ),
    (
        "pull",
        "initializing source docker://x: reading manifest latest in docker.io/library/x: toomanyrequests: limit",
        errors.ImagePullFailed,
        "no more for now",
    ),
    ("wait", 'no container with name or ID "fe04" found: no such container', errors.ContainerVanished, "removed while"),
    (
        "build",
        'building at STEP "RUN exit 3": while running runtime: exit status 3',
        errors.ImageBuildFailed,
        "command of",
    ),
]


@pytest.mark.parametrize(("operation", "said", "expected", "words"), SAYINGS)
def test_what_it_amounts_to(operation: Operation, said: str, expected: type[errors.EngineError], words: str) -> None:
    subject = "the base image" if operation == "build" else "lab/tool:1"
    error = decode(operation, subject, said)
    assert type(error) is expected
    assert words in str(error)
    assert said in str(error), "the engine's own words are kept"


def test_many_lines_become_one() -> None:
    assert "\n" not in str(decode("pull", "x", "errors:\ndenied: requested access to the resource is denied\n"))
