"""RunTask and DescribeTasks, the two calls that grow with the number of tasks, by the parts of botocore that they need.

A client of botocore looks for the endpoint, checks the request against its model, makes up its user agent twice and
builds an object of every field of an answer, at each call: three quarters of what a call takes. These two requests are
ours and are held against botocore's model, and against what its client would send, by tests; of the answers we take
some fields. What is delicate stays botocore's: endpoint, credentials and their renewal, signature, connections,
proxies, certificates, and exceptions (docs/adr/0024-calls-for-every-task.md).
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser
from botocore.utils import get_environ_proxies

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_ecs import ECSClient

__all__ = ["TaskCalls"]

_ERRORS = 300
_AT_ONCE = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
"""As botocore's client has its connections: a request leaves in two parts, and the second would wait, for 40 ms, until
AWS's host has acknowledged the first."""


class TaskCalls:
    """Sends each request once. Safe to use from any thread. Raises botocore's exceptions."""

    def __init__(self, client: ECSClient, credentials: Credentials | None, certificates: str | None) -> None:
        """`certificates` is the file of those to trust that botocore's session has been told of, if any."""
        meta: Any = client.meta  # the stubs leave out half of it
        self._model = meta.service_model
        self._credentials = credentials
        self._url = f"{meta.endpoint_url.rstrip('/')}/"
        self._scope = self._model.signing_name, meta.region_name
        self._user_agent = meta.config.user_agent
        sessions: Any = URLLib3Session  # whose stubs know neither a file of certificates nor two timeouts
        self._http = sessions(
            verify=certificates or os.environ.get("REQUESTS_CA_BUNDLE") or True,
            proxies=meta.config.proxies or get_environ_proxies(self._url),
            timeout=(meta.config.connect_timeout, meta.config.read_timeout),
            max_pool_connections=meta.config.max_pool_connections,
            socket_options=list(_AT_ONCE),
        )

    def run_task(self, request: Mapping[str, Any]) -> Any:
        """Return what RunTask answers; times are numbers."""
        return self._answer("RunTask", request)

    def describe_tasks(self, request: Mapping[str, Any]) -> Any:
        """Return what DescribeTasks answers; times are numbers."""
        return self._answer("DescribeTasks", request)

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Any:
        if self._credentials is None:
            raise NoCredentialsError
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{self._model.metadata['targetPrefix']}.{operation}",
            "User-Agent": self._user_agent,
        }
        asked: Any = AWSRequest("POST", self._url, headers, json.dumps(request).encode())
        signer: Any = SigV4Auth(self._credentials.get_frozen_credentials(), *self._scope)
        signer.add_auth(asked)
        answer: Any = self._http.send(asked.prepare())
        if answer.status_code >= _ERRORS:
            raise self._refusal(operation, answer)
        return json.loads(answer.content)

    def _refusal(self, operation: str, answer: Any) -> ClientError:
        """Return AWS's refusal as botocore's client would raise it."""
        parser: Any = create_parser("json")
        said = {"status_code": answer.status_code, "headers": answer.headers, "body": answer.content}
        return ClientError(parser.parse(said, self._model.operation_model(operation).output_shape), operation)
