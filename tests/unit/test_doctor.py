"""What `cromulent doctor` makes of the facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from cromulent_wdl import __version__
from cromulent_wdl.aws.drift import Drifted
from cromulent_wdl.aws.file_systems import FileSystem, MountTarget
from cromulent_wdl.aws.identity import Caller
from cromulent_wdl.aws.network import Subnet
from cromulent_wdl.aws.permissions import Need
from cromulent_wdl.aws.quotas import Quotas
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.provision.doctor import Facts, State, findings
from cromulent_wdl.provision.doctor.facts import Account, Deployed, Here, Unknown

HERE = Here({"cromulent": "1"}, {"docker": "Docker 28.2", "podman": Unknown("no Podman")}, "/bin/bwrap", "/bin/smp", {})
CALLER = Caller("1", "arn:aws:iam::1:role/lab", 0.0)
ACCOUNT = Account("eu-west-1", CALLER, 1.5, Quotas(64, 256))
DEPLOYMENT = Deployment(
    name="lab", version=__version__, region="eu-west-1", account="1", vpc="vpc-1", subnets=("subnet-1", "subnet-2"),
    assign_public_ip=True, security_group="sg-1", file_system="fs-1", access_point="fsap-1", bucket="b", cluster="c",
    log_group="/cromulent/lab", execution_role="arn:e", task_role="arn:t", head_role="arn:h", states_role="arn:s",
    state_machine="arn:aws:states:eu-west-1:1:stateMachine:m", sweep_machine="arn:w",
)  # fmt: skip
SUBNETS = tuple(Subnet(f"subnet-{n}", "vpc-1", f"euw1-az{n}", 8187, "igw-1") for n in (1, 2))
TARGETS = tuple(MountTarget(f"fsmt-{n}", "vpc-1", f"subnet-{n}", f"euw1-az{n}", ("sg-1",), "available") for n in (1, 2))
FILES = FileSystem("fs-1", "available", 0, 0, TARGETS)
DEPLOYED = Deployed(DEPLOYMENT, "CREATE_COMPLETE", (), FILES, SUBNETS, True, True, (), (), ())


def found(facts: Facts) -> dict[str, tuple[str, str, str]]:
    return {each.check: (each.state.value, each.text, each.hint) for each in findings(facts)}


def of(check: str, **other: Any) -> tuple[str, str, str]:
    """Return what a check finds where some fact is otherwise than well."""
    facts = {"here": HERE, "account": ACCOUNT, "deployed": DEPLOYED, "concurrency": None}
    for name, value in other.items():
        for part, fact in facts.items():
            if name in getattr(fact, "__dataclass_fields__", ()):
                facts[part] = replace(fact, **{name: value})  # type: ignore[type-var]
            elif name == part:
                facts[part] = value
    return found(Facts(**facts))[check]  # type: ignore[arg-type]


def test_where_all_is_well_nothing_is_said_against_it() -> None:
    all_of_it = findings(Facts(HERE, ACCOUNT, DEPLOYED))

    assert [each for each in all_of_it if each.state is not State.OK] == []
    assert len({each.check for each in all_of_it}) == len(all_of_it) == 17


@pytest.mark.parametrize(
    ("check", "other", "state", "words", "hint"),
    [
        ("local engine", {"engines": {"docker": Unknown("no Docker", "start it")}}, "warning", "as processes", "start"),
        ("local engine", {"engines": {}, "sandbox": Unknown("no")}, "warning", "without a sandbox", "install Docker"),
        ("session plugin", {"session_plugin": ""}, "warning", "is not installed", "install"),
        (
            "registries",
            {"registries": {"quay.io": "no answer", "ghcr.io": ""}},
            "warning",
            "quay.io: no answer",
            "PROXY",
        ),
        ("credentials", {"caller": Unknown("expired", "log in", "ExpiredToken")}, "failure", "expired", "log in"),
        ("credentials", {"caller": Unknown("none were found", "log in")}, "warning", "none were found", "log in"),
        ("credentials", {"caller": Caller("1", "arn:aws:iam::1:root", 0.0)}, "warning", "root user", "a role"),
        ("region", {"region": Unknown("No AWS region is set.")}, "warning", "No AWS region", ""),
        ("clock", {"skew": -310.0}, "failure", "310 s behind AWS's", "NTP"),
        ("clock", {"skew": 40.0}, "warning", "40 s ahead of AWS's", "NTP"),
        ("Fargate quotas", {"quotas": Quotas(6, 64)}, "warning", "6 vCPU on demand", "fargate/quotas/L-3032A538"),
        ("Fargate quotas", {"quotas": Quotas(64, 6)}, "warning", "6 Spot", "fargate/quotas/L-36FBB829"),
        ("Fargate quotas", {"quotas": Unknown("denied")}, "warning", "could not be checked: denied", ""),
        ("deployment", {"deployed": Unknown("there is none", "cromulent up")}, "warning", "was not checked", "up"),
        ("stack", {"state": "UPDATE_ROLLBACK_FAILED"}, "failure", "ROLLBACK_FAILED", "up --name lab"),
        ("stack", {"state": "UPDATE_IN_PROGRESS"}, "warning", "being changed", "waits"),
        (
            "version",
            {"deployment": msgspec.structs.replace(DEPLOYMENT, version="0.0.1")},
            "warning",
            "of version 0.0.1",
            "cromulent up",
        ),
        (
            "drift",
            {"drift": (Drifted("Logs", "", False, ("/RetentionInDays",)),)},
            "warning",
            "Logs (/Retention",
            "hand",
        ),
        ("drift", {"drift": (Drifted("Files", "", True, ()),)}, "failure", "Files (deleted)", "hand"),
        ("network", {"resolves_names": False}, "failure", "does not resolve names", "enableDnsSupport"),
        ("network", {"subnets": (replace(SUBNETS[0], way_out=""),)}, "failure", "subnet-1 has no way", "route"),
        ("network", {"subnets": (replace(SUBNETS[0], way_out="nat-1"),)}, "failure", "get public addresses", "route"),
        ("addresses", {"subnets": (replace(SUBNETS[0], free_addresses=11),)}, "warning", "11 free", "larger"),
        ("addresses", {"concurrency": 20_000}, "warning", "20,000 may want to run", "larger"),
        ("addresses", {"subnets": (replace(SUBNETS[0], free_addresses=0),)}, "failure", "no task can start", "larger"),
        ("file system", {"files": None}, "failure", "fs-1 is gone", "down"),
        ("file system", {"files": replace(FILES, state="creating")}, "failure", "fs-1 is creating", "wait"),
        (
            "file system",
            {"files": replace(FILES, mount_targets=TARGETS[:1])},
            "failure",
            "reached from subnet-2",
            "zone",
        ),
        (
            "file system",
            {"files": replace(FILES, mount_targets=(replace(TARGETS[0], state="creating"), TARGETS[1]))},
            "failure",
            "fsmt-1 is creating",
            "wait",
        ),
        ("bucket", {"bucket": False}, "failure", "b is not there", "deleted"),
        ("head's role", {"head_lacks": (Need("ecs:RunTask"),)}, "failure", "ecs:RunTask", "cromulent up"),
        (
            "permissions",
            {"caller_lacks": (Need("s3:PutObject"),)},
            "warning",
            "run no workflows (s3:Put",
            "policy --run",
        ),
        (
            "permissions",
            {"caller_lacks": (Need("s3:PutObject"),), "manager_lacks": (Need("iam:DeleteRole"),)},
            "failure",
            "not allowed by IAM: s3:PutObject",
            "policy --run",
        ),
        ("permissions", {"caller_lacks": Unknown("IAM denies it")}, "warning", "could not be checked: IAM denies", ""),
        ("administration", {"manager_lacks": (Need("iam:DeleteRole"),)}, "ok", "do not change the deployment", ""),
    ],
)
def test_what_is_not_well_is_told_with_what_to_do(
    check: str, other: dict[str, Any], state: str, words: str, hint: str
) -> None:
    said = of(check, **other)

    assert (said[0], words in said[1], hint in said[2]) == (state, True, True), said


def test_row_13_free_addresses_of_the_users_own_network_are_held_against_what_may_run() -> None:
    narrow = tuple(replace(each, free_addresses=11) for each in SUBNETS)
    assert of("addresses", subnets=narrow, concurrency=22)[0] == "ok"
    assert of("addresses", subnets=narrow, concurrency=23)[:1] == ("warning",)


def test_without_credentials_only_what_is_here_is_checked() -> None:
    nobody = Unknown("no credentials")
    said = found(Facts(HERE, Account("eu-west-1", nobody, None, nobody), nobody))

    assert list(said) == ["versions", "local engine", "session plugin", "credentials", "region"]
