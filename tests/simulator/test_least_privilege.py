"""What is printed by `cromulent policy` is enough, and no statement of it can be spared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision.permissions import Place, policy
from cromulent_wdl.provision.wishes import Wishes
from cromulent_wdl.simulator.process import Simulation

from .cloud import Cloud
from .conftest import account_number
from .deployments import down, up
from .inventory import inventory
from .stories import REFUSALS, allowed, place_of, whole_life, with_what_is_given

SERVICE_ROLES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html"

DEMANDED = {
    "ServiceRoles": SERVICE_ROLES,  # only an account that has not used ECS or EFS yet makes them
}
"""Statements without which a story here ends all the same, and AWS's page that demands them."""

SAID_OTHERWISE = {"YourBucket": "that these credentials may read"}
"""What is said where S3's refusal, which has no words, is not passed on."""

_AT_ONCE = 4
_PATIENCE = 400.0

ANY = Place("aws", "us-east-1", "123456789012")
POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


Statement = str
"""Its Sid; nothing for all of them."""
Told = Mapping[tuple[str, Statement], "Future[None]"]


def sids(wishes: Wishes) -> list[str]:
    return [each["Sid"] for each in policy("deploy", wishes, ANY)["Statement"]]


def given(root: Cloud, name: str) -> Wishes:
    """Return a wish for all that an account may want of a deployment; bucket, boundary and key are there."""
    key = root.client("kms").create_key()["KeyMetadata"]["Arn"]
    root.client("s3").create_bucket(Bucket=f"{name}-given")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    root.client("s3").put_bucket_encryption(Bucket=f"{name}-given", ServerSideEncryptionConfiguration={"Rules": [rule]})
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    boundary = root.client("iam").create_policy(PolicyName=f"{name}-boundary", PolicyDocument=document)["Policy"]["Arn"]
    return Wishes(name, bucket=f"{name}-given", task_policies=(POLICY,), permissions_boundary=boundary, kms_key=key)


PLAIN = sids(Wishes("lab"))
GIVEN = Wishes("lab", bucket="b", task_policies=("p",), permissions_boundary="b", kms_key="k")
MORE = [sid for sid in sids(GIVEN) if sid not in PLAIN]
LESS = [*(("plain", sid) for sid in PLAIN), *(("given", sid) for sid in MORE)]
"""What a deployment is to be, and the statement that is missing."""


def tell(simulation: Simulation, kind: str, without: Statement) -> None:
    """Tell the story that needs the statement, as somebody without it; whatever comes of it is taken away after."""
    keys, name = simulation.environment, f"{kind}{account_number()}"
    with Cloud.at(simulation.address, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]) as root:
        wishes = Wishes(name) if kind == "plain" else given(root, name)
        statements: list[dict[str, Any]] = policy("deploy", wishes, place_of(root))["Statement"]
        kept = [each for each in statements if each["Sid"] != without]
        assert len(statements) - len(kept) == bool(without)
        try:
            with allowed(root, f"maker-of-{name}", kept) as caller:
                (whole_life if kind == "plain" else with_what_is_given)(caller, root, wishes)
        finally:
            assert down(root, name, delete_data=True, stop_runs=True) == ()


@pytest.fixture(scope="module")
def before(strict_root: Cloud) -> dict[str, list[str]]:
    return inventory(strict_root)


@pytest.fixture(scope="module")
def told(strict_simulation: Simulation, before: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Tell all stories side by side: what becomes of each."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(_AT_ONCE) as pool:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))  # what status remembers of runs
        stories = [("plain", ""), ("given", ""), *LESS]
        found = {each: pool.submit(tell, strict_simulation, *each) for each in stories}
        wait(found.values(), _PATIENCE)
        yield found


def names_an_action_of(sid: str, refusal: BaseException) -> bool:
    """Whether a story broke off for want of this statement, not of anything else."""
    statement = next(each for each in policy("deploy", GIVEN, ANY)["Statement"] if each["Sid"] == sid)
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    return any(words in str(refusal) for words in [*actions, SAID_OTHERWISE.get(sid, actions[0])])


@pytest.mark.parametrize("kind", ["plain", "given"])
def test_the_policy_is_enough(told: Told, kind: str) -> None:
    told[kind, ""].result(0)


@pytest.mark.parametrize(("kind", "sid"), [each for each in LESS if each[1] not in DEMANDED])
def test_no_statement_can_be_spared(told: Told, kind: str, sid: str) -> None:
    refusal = told[kind, sid].exception(0)

    assert isinstance(refusal, REFUSALS), refusal
    assert names_an_action_of(sid, refusal), refusal


@pytest.mark.parametrize("sid", DEMANDED)
def test_what_is_demanded_by_aws_alone_is_not_shown_here(told: Told, sid: str) -> None:
    told["plain", sid].result(0)


def test_nothing_is_left_of_any_story(told: Told, before: dict[str, list[str]], strict_root: Cloud) -> None:
    after = inventory(strict_root)
    yours = [each for each in after.pop("buckets", []) if not each.endswith("-given")]

    assert after | ({"buckets": yours} if yours else {}) == before


def touching(other: Deployment) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield requests that would look into a deployment, or take something of it."""
    files, machine = {"FileSystemId": other.file_system}, other.state_machine
    role, rule = {"RoleName": other.head_role.rpartition("/")[2]}, {"IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}
    group = {"GroupId": other.security_group}
    yield "cloudformation", "delete_stack", {"StackName": other.name}
    yield "s3", "list_object_versions", {"Bucket": other.bucket}
    yield "s3", "delete_bucket", {"Bucket": other.bucket}
    yield "efs", "delete_file_system", files
    yield "efs", "delete_access_point", {"AccessPointId": other.access_point}
    yield "efs", "put_file_system_policy", {**files, "Policy": "{}"}
    yield "ecs", "delete_cluster", {"cluster": other.cluster}
    yield "ecs", "list_tasks", {"cluster": other.cluster}
    yield "ecs", "stop_task", {"cluster": other.cluster, "task": "0" * 32}
    yield "ecs", "delete_task_definitions", {"taskDefinitions": [f"{other.name}_head:1"]}
    yield "logs", "delete_log_group", {"logGroupName": other.log_group}
    yield "stepfunctions", "delete_state_machine", {"stateMachineArn": machine}
    yield "stepfunctions", "stop_execution", {"executionArn": machine.replace(":stateMachine:", ":execution:") + ":run"}
    yield "iam", "delete_role", role
    yield "iam", "put_role_policy", {**role, "PolicyName": "more", "PolicyDocument": "{}"}
    yield "ec2", "delete_vpc", {"VpcId": other.vpc}
    yield "ec2", "delete_security_group", group
    yield "ec2", "authorize_security_group_ingress", {**group, **rule, "FromPort": 22, "ToPort": 22}


def test_another_deployment_is_out_of_reach(root: Cloud) -> None:
    """Also one whose name begins in the same way."""
    name = f"mine{account_number()}"
    other = up(root, Wishes(f"{name}-2"))
    assert other is not None
    with allowed(root, name, policy("deploy", Wishes(name), place_of(root))["Statement"]) as caller:
        for service, method, request in touching(other):
            with pytest.raises(ClientError, match=r"not authorized|AccessDenied"):
                getattr(caller.client(service), method)(**request)
    assert down(root, other.name, delete_data=True) == ()
