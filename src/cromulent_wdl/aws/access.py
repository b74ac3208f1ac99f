"""Clients for AWS's services, and its refusals as our errors."""

from __future__ import annotations

import difflib
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import AwsDenied, AwsError, AwsThrottled, AwsUnreachable, CredentialsError, NoCredentials, UsageError

if TYPE_CHECKING:
    import boto3
    from botocore.session import Session

    from .task_calls import TaskCalls

__all__ = ["Access", "asking", "code_of", "refusal"]

_THROTTLES = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded"}
)
_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
_BAD_CREDENTIALS = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId",
     "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure", "RequestExpired"}
)  # fmt: skip
_LOG_IN = "log in (aws sso login, aws configure), or name a profile: --profile NAME"
_ATTEMPTS = 8
"""Of patient clients. No setting, nor are botocore's pauses, 20 seconds at most: what goes on for longer is waited for
by whoever calls, as long as the settings say."""
_REGION_OF_ANYBODY = "us-east-1"
"""Asked about a bucket in another, it says in which."""
_CONNECTIONS = 50
"""Pooled connections a client: uploads and downloads run side by side."""


class Access:
    """One way into AWS: credentials, region and endpoint as boto3 and the AWS CLI find them.

    Clients are made when first asked for, once each, and may be used from any thread.
    """

    def __init__(self, *, profile: str | None = None, region: str | None = None, signed: bool = True) -> None:
        self._profile = profile
        self._region = region
        self.signed = signed
        """Whether requests carry a signature; without, they get what anybody may read."""
        self._session: boto3.Session | None = None
        self._core: Session | None = None
        """What is under boto3's session."""
        self._clients: dict[tuple[str, bool, str], Any] = {}
        self._known: frozenset[str] = frozenset()
        """The regions that there are, once they have been looked up."""
        self._making = threading.RLock()
        """Held while a client is made: a boto3 session is for one thread at a time."""

    @property
    def region(self) -> str:
        """The region that calls go to. Raises NoCredentials where none is set, or the profile is unknown.

        Raises UsageError for a region that botocore does not know, at an endpoint of one's own, too: ARNs and prices
        go by it.
        """
        region = self._open().region_name
        if not region and not self.signed:
            region = _REGION_OF_ANYBODY
        if not region:
            raise NoCredentials(
                "No AWS region is set.", hint="give --region, or set AWS_REGION or the profile's region"
            )
        if region not in self._known:
            self._known = self._regions()
            if region not in self._known:
                raise UsageError(f"There is no AWS region '{region}'.", hint=_alike(region, self._known))
        return region

    @property
    def profile(self) -> str:
        """The name of the profile in use; `default` where none was chosen."""
        return self._open().profile_name

    @property
    def authorities(self) -> str:
        """The file of the certificates that are trusted, as boto3 finds it."""
        from botocore.httpsession import get_cert_path

        with self._making:
            return self._chosen_authorities() or str(get_cert_path(True))

    def anonymous(self) -> Access:
        """Return the way in for what anybody may read: it needs no credentials, and no region."""
        return Access(region=self._region, signed=False)

    def keys(self) -> tuple[str, str, str | None]:
        """Return an access key, its secret and its token, good for now. Raises CredentialsError."""
        session: Any = self._open()
        with asking("reading the credentials"), self._making:
            found = session.get_credentials()
            keys = None if found is None else found.get_frozen_credentials()
        if keys is None:
            raise CredentialsError("No AWS credentials were found.", hint=_LOG_IN)
        return keys.access_key, keys.secret_key, keys.token

    def client(self, service: str, *, patient: bool = True, region: str = "") -> Any:
        """Return the client of a service, typed by the caller (`ecs: ECSClient = access.client("ecs")`).

        A patient client repeats what was throttled or not answered; another sends each request once, for
        callers that pace themselves.
        """
        from botocore import UNSIGNED
        from botocore.config import Config

        region = region or self.region
        key = (service, patient, region)
        with self._making:
            if key not in self._clients:
                config = Config(
                    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS if patient else 1},
                    max_pool_connections=_CONNECTIONS,
                    user_agent_extra="cromulent",
                    signature_version=None if self.signed else UNSIGNED,
                )
                session: Any = self._open()
                with asking(f"opening {service}"):
                    self._clients[key] = session.client(service, region_name=region, config=config)
            return self._clients[key]

    def task_calls(self) -> TaskCalls:
        """Return the calls of ECS that are made for every task; each request is sent once."""
        from .task_calls import TaskCalls

        client = self.client("ecs", patient=False)
        with self._making, asking("opening ecs"):
            session: Any = self._open()
            return TaskCalls(client, session.get_credentials(), self._chosen_authorities())

    def _chosen_authorities(self) -> str | None:
        """Return the file of certificates that the user has named, if any."""
        self._open()
        assert self._core is not None
        chosen: str | None = self._core.get_config_variable("ca_bundle")
        return chosen

    def _regions(self) -> frozenset[str]:
        assert self._core is not None
        with self._making:
            partitions = self._core.get_available_partitions()
            # By the service of them all whose model is the quickest to read.
            return frozenset(each for name in partitions for each in self._core.get_available_regions("sts", name))

    def _open(self) -> boto3.Session:
        if self._session is None:
            import boto3
            from botocore.session import Session

            from .models import Models

            with asking("reading the AWS configuration"):
                self._core = Session()
                self._core.get_component("data_loader").file_loader = Models()
                self._session = boto3.Session(
                    botocore_session=self._core,
                    profile_name=self._profile,
                    region_name=self._region or _region_of_environment(),
                )
        return self._session


def _alike(region: str, known: Iterable[str]) -> str:
    import boto3

    near = sorted(difflib.get_close_matches(region, sorted(known), n=3))
    guess = f"did you mean {', '.join(near)}?" if near else "regions are named like us-east-1."
    return f"{guess} One that is newer than boto3 {boto3.__version__} needs a newer boto3"


def _region_of_environment() -> str | None:
    """Return the region that the AWS CLI and the other SDKs take first; boto3 knows AWS_DEFAULT_REGION only."""
    return os.environ.get("AWS_REGION") or None


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn botocore's exceptions of the block into ours. `what` says in a participle what was being done.

    Raises CredentialsError, AwsUnreachable, AwsThrottled, AwsDenied, or AwsError with AWS's own code and words.
    """
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        raise _refusal(what, error) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise NoCredentials(
            f"No AWS credentials were found ({what}).",
            hint=_LOG_IN,
        ) from error
    except exceptions.ProfileNotFound as error:
        raise NoCredentials(f"{error}.", hint="aws configure list-profiles shows the profiles there are") from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        hint = "is there a network here, and a region of that name?"
        raise AwsUnreachable(f"AWS does not answer ({what}): {error}", hint=hint) from error
    except exceptions.BotoCoreError as error:
        raise CredentialsError(f"AWS could not be asked ({what}): {error}") from error


def code_of(error: BaseException) -> str:
    """Return AWS's code of a botocore ClientError, and an empty text for anything else."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _refusal(what: str, error: Exception) -> AwsError | CredentialsError:
    said = str(getattr(error, "response", {}).get("Error", {}).get("Message", "")) or str(error)
    return refusal(what, code_of(error), said)


def refusal(what: str, code: str, said: str) -> AwsError | CredentialsError:
    """Return our error for AWS's code and words."""
    if code in _BAD_CREDENTIALS:
        return CredentialsError(f"AWS does not accept the credentials ({what}): {said}", hint="log in again")
    if code in _THROTTLES:
        return AwsThrottled(f"AWS asks for fewer calls ({what}): {said}", code=code)
    if code in _DENIALS:
        roles = ", with --roles what the deployment's roles do" if ":assumed-role/" in said else ""
        hint = f"cromulent policy prints what a user needs{roles}"
        return AwsDenied(f"AWS denies it ({what}): {said}", code=code, hint=hint)
    return AwsError(f"AWS refused ({what}): {said} ({code})", code=code)
