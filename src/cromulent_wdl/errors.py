"""The one tree of errors that this project raises on purpose.

::

    CromulentError                 a sentence, and where there is one a hint: what to type next
    ├── UsageError                 the command line or its input is wrong; nothing was started (exit 2)
    │   ├── SourceError            the WDL cannot be read, parsed or type-checked
    │   ├── InputsError            a workflow input is unknown, missing, mistyped or not there
    │   ├── SettingsError          a setting is unknown or has a value that it cannot have
    │   ├── RunNotFound            no such run, or a prefix that fits several
    │   └── DeploymentNotFound     no deployment of that name stands in the region
    ├── EngineError                the container engine said no, or is not there
    │   ├── EngineUnavailable      nothing answers at the engine's address; nothing was started (exit 2)
    │   ├── ImageNotFound          the image does not exist, or we may not read it
    │   ├── ImagePullFailed        the registry or the network failed; trying again may help
    │   │   └── ImageDenied        the registry shows the image to nobody without a log-in
    │   ├── ImageBuildFailed       an inline Dockerfile did not build
    │   ├── NoShell                the image has no shell to run the command with
    │   ├── MountFailed            a file or directory could not be mounted into the container
    │   ├── EngineDiskFull         the engine has no space left for an image or a container
    │   └── ContainerVanished      the container is gone and nobody knows how it ended
    ├── CredentialsError           AWS does not accept the credentials: they are wrong, or have expired
    │   └── NoCredentials          there are none here: no such profile, no region; nothing was started (exit 2)
    ├── AwsError                   AWS refused; `code` is its own word for why
    │   ├── AwsDenied              the caller or the role may not do this
    │   ├── AwsThrottled           too many calls; later it will do
    │   └── AwsUnreachable         no answer came
    ├── ProvisionFailed            a deployment could not be made, changed or taken away
    ├── JournalError               a run's journal cannot be read or written
    ├── FetchFailed                an input could not be downloaded
    └── FileUnstable               a file is being written to, so its content cannot be told
"""

from __future__ import annotations

__all__ = [
    "AwsDenied",
    "AwsError",
    "AwsThrottled",
    "AwsUnreachable",
    "ContainerVanished",
    "CredentialsError",
    "CromulentError",
    "DeploymentNotFound",
    "EngineDiskFull",
    "EngineError",
    "EngineUnavailable",
    "FetchFailed",
    "FileUnstable",
    "ImageBuildFailed",
    "ImageDenied",
    "ImageNotFound",
    "ImagePullFailed",
    "InputsError",
    "JournalError",
    "MountFailed",
    "NoCredentials",
    "NoShell",
    "ProvisionFailed",
    "RunNotFound",
    "SettingsError",
    "SourceError",
    "UsageError",
]


class CromulentError(Exception):
    """Something failed: `str()` says what and with what, `hint` what to do next."""

    exit_status = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CromulentError):
    """The command line or what it names is wrong; nothing was started."""

    exit_status = 2


class SourceError(UsageError):
    """The WDL source cannot be read, parsed or type-checked."""


class InputsError(UsageError):
    """A workflow input is unknown, missing, mistyped, or names a file that is not there."""


class SettingsError(UsageError):
    """A setting is unknown, or has a value that it cannot have."""


class RunNotFound(UsageError):
    """No run is called that, or the prefix fits several."""


class DeploymentNotFound(UsageError):
    """No deployment of that name stands in this account and region."""


class EngineError(CromulentError):
    """The container engine refused a request."""


class EngineUnavailable(EngineError):
    """No container engine answers at the address, so nothing was started."""

    exit_status = 2


class ImageNotFound(EngineError):
    """The image does not exist in the registry, or we are not allowed to read it."""


class ImagePullFailed(EngineError):
    """The registry or the network failed while pulling; trying again may help."""


class ImageDenied(ImagePullFailed):
    """The registry shows the image to nobody without a log-in: it is private, or some registries say so of none."""


class ImageBuildFailed(EngineError):
    """An inline Dockerfile did not build."""


class NoShell(EngineError):
    """The image lacks the shell that the task's command needs."""


class MountFailed(EngineError):
    """A file or directory could not be mounted into the container."""


class EngineDiskFull(EngineError):
    """The engine has no space left for an image or a container."""


class ContainerVanished(EngineError):
    """The container is gone and its end is unknown."""


class CredentialsError(CromulentError):
    """AWS cannot be asked from here: it does not accept the credentials, or they have expired."""


class NoCredentials(CredentialsError):
    """There is no such profile, no region, or nothing to log in to AWS with, so nothing was started."""

    exit_status = 2


class AwsError(CromulentError):
    """AWS refused a request; `code` is AWS's own code, empty where it gave none."""

    def __init__(self, message: str, *, code: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class AwsDenied(AwsError):
    """The caller or the role lacks a permission."""


class AwsThrottled(AwsError):
    """AWS asks for fewer calls."""


class AwsUnreachable(AwsError):
    """No answer came: no network, no such endpoint, or a time-out."""


class ProvisionFailed(CromulentError):
    """A deployment could not be made, changed or taken away; what it is left as has been said."""

    def __init__(self, message: str, *, hint: str | None = None, again: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.again = again
        """Whether the very same is likely to go through at once."""


class JournalError(CromulentError):
    """A run's journal cannot be read or written."""


class FetchFailed(CromulentError):
    """An input could not be downloaded."""


class FileUnstable(CromulentError):
    """A file is being written to, so its content cannot be told."""
