"""RunTask and DescribeTasks as they are sent and answered, each beside what botocore's own client does."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import Message
from typing import Any

import pytest

from cromulent_wdl.aws.access import Access, asking, code_of
from cromulent_wdl.aws.decode import task_of
from cromulent_wdl.backends.fargate.request import launch_of
from cromulent_wdl.errors import AwsUnreachable, CredentialsError
from tests.fakes.deployments import LAB
from tests.fakes.http_server import Answer, Server, serving
from tests.unit.test_fargate_requests import LAUNCH

RUN = launch_of(LAB, LAUNCH)
DESCRIBE = {"cluster": "lab", "tasks": ["arn:aws:ecs:eu-west-1:123456789012:task/lab/0123456789abcdef"]}
TASK = {
    "taskArn": DESCRIBE["tasks"][0],
    "lastStatus": "RUNNING",
    "createdAt": 1764190000.123,
    "startedAt": 1764190030,
    "containers": [{"name": "task", "lastStatus": "RUNNING", "exitCode": None}],
    "overrides": {"containerOverrides": [{"name": "task", "command": ["/mnt/efs/é"]}]},
}
BOTH = [("run_task", RUN), ("describe_tasks", DESCRIBE)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}.items():
        monkeypatch.setenv(name, value)
    with serving(lambda _path, _headers: Answer(body=json.dumps({"tasks": [TASK], "failures": []}).encode())) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", found.url)
        yield found


def callers(access: Access, operation: str, request: dict[str, Any]) -> list[Callable[[], Any]]:
    """Return the call as botocore's client makes it, and as we do."""
    client = access.client("ecs", patient=False)
    return [lambda: getattr(client, operation)(**request), lambda: getattr(access.task_calls(), operation)(request)]


@pytest.mark.parametrize(("operation", "request_"), BOTH)
def test_what_is_sent_is_what_botocores_client_sends(server: Server, operation: str, request_: dict[str, Any]) -> None:
    for call in callers(Access(region="eu-west-1"), operation, request_):
        call()
    theirs, ours = server.requests
    assert server.paths == ["/", "/"]
    assert json.loads(server.posted[0]) == json.loads(server.posted[1]) == request_
    for header in ("X-Amz-Target", "Content-Type", "X-Amz-Security-Token"):
        assert ours[header] == theirs[header] is not None
    assert "cromulent" in ours["User-Agent"]
    scopes = [re.sub(r"/\d{8}/|Signature=.*", "", each["Authorization"]) for each in (theirs, ours)]
    assert scopes[0] == scopes[1]
    assert "AKIAeu-west-1/ecs/aws4_request" in scopes[1]


@pytest.mark.parametrize(("operation", "request_"), BOTH)
def test_an_answer_reads_the_same(server: Server, operation: str, request_: dict[str, Any]) -> None:
    theirs, ours = (call() for call in callers(Access(region="eu-west-1"), operation, request_))
    assert ours["failures"] == theirs["failures"] == []
    assert task_of(ours["tasks"][0]) == task_of(theirs["tasks"][0])


def test_no_part_of_a_request_waits_for_another(server: Server) -> None:
    said: list[bool] = []
    answer = server.answer

    def look(path: str, headers: Message) -> Answer:
        said.append(all(delays_nothing(server)))
        return answer(path, headers)

    server.answer = look
    for call in callers(Access(region="eu-west-1"), *BOTH[0]):
        call()
    assert said == [True, True]


def delays_nothing(server: Server) -> list[bool]:
    """Return TCP_NODELAY of the connections that this process has to the server, of which there must be one."""
    port, found = int(server.url.rpartition(":")[2]), []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as each:
            if each.getpeername()[1] == port:
                found.append(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
    assert found
    return found


@pytest.mark.parametrize("kind", ["ThrottlingException", "com.amazonaws.ecs#ClusterNotFoundException"])
def test_a_refusal_is_botocores_own(server: Server, kind: str) -> None:
    server.answer = lambda _path, _headers: Answer(400, json.dumps({"__type": kind, "message": "No."}).encode())
    found = []
    for call in callers(Access(region="eu-west-1"), *BOTH[0]):
        with pytest.raises(Exception) as caught:
            call()
        found.append((code_of(caught.value), str(caught.value).replace(" (reached max retries: 0)", "")))
    assert found[0] == found[1]
    assert found[1][0] == kind.rpartition("#")[2]


def test_an_answer_that_is_no_json_is_a_refusal_where_its_status_says_so(server: Server) -> None:
    server.answer = lambda _path, _headers: Answer(503, b"<html>")
    codes = []
    for call in callers(Access(region="eu-west-1"), *BOTH[1]):
        with pytest.raises(Exception) as caught:
            call()
        codes.append(code_of(caught.value))
    assert codes[0] == codes[1] != ""


def test_a_proxy_of_the_environment_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", "http://ecs.lab.invalid")
    monkeypatch.setenv("HTTP_PROXY", server.url)
    for call in callers(Access(region="eu-west-1"), *BOTH[1]):
        call()
    assert server.paths == ["http://ecs.lab.invalid/", "http://ecs.lab.invalid/"]


def test_certificates_are_those_that_the_environment_names(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", server.url.replace("http:", "https:"))
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/certificates.pem")
    found = []
    for call in callers(Access(region="eu-west-1"), *BOTH[1]):
        with pytest.raises(Exception, match=r"SSL validation failed .* No such file") as caught:
            call()
        found.append(type(caught.value))
    assert found[0] is found[1]


def test_nobody_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:9")
    with pytest.raises(AwsUnreachable, match="starting a task"), asking("starting a task"):
        Access(region="eu-west-1").task_calls().run_task(RUN)


def test_without_credentials(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(CredentialsError, match="No AWS credentials"), asking("starting a task"):
        Access(region="eu-west-1").task_calls().run_task(RUN)
    assert server.requests == []
