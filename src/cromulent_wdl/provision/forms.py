"""What ids, names and ARNs look like that are given to `up`: others are refused before AWS is asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import UsageError

__all__ = ["BUCKET", "FORMS", "Form", "check_forms"]


@dataclass(frozen=True)
class Form:
    """What a value has to match, what that is called, and what to do where it does not."""

    pattern: str
    what: str
    hint: str


def _id(kind: str) -> str:
    """Return the pattern of ids that EC2 and EFS give: 8 digits, or 17 since 2016."""
    return kind + r"-[0-9a-f]{8}(?:[0-9a-f]{9})?"


def _arn(service: str, resource: str, account: str = r"\d{12}") -> str:
    return rf"arn:aws[\w-]*:{service}:[\w-]*:{account}:{resource}"


_PATH = r"(?:[!-~]+/)?[\w+=,.@-]+"
"""How IAM names things: the page "IAM and AWS STS quotas"."""

BUCKET = r"(?!xn--|sthree-|amzn-s3-demo-|\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)(?!.*(?:-s3alias|--ol-s3|--x-s3|\.mrap)$)"
BUCKET += r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
"""The page "General purpose bucket naming rules"."""

_POLICY = Form(
    _arn("iam", f"policy/{_PATH}", r"(?:\d{12}|aws)"), "the ARN of a policy", "as arn:aws:iam::…:policy/NAME"
)
_NAMING = "3 to 63 lower-case letters, digits, hyphens and dots"

FORMS: Mapping[str, Form] = {
    "--vpc": Form(_id("vpc"), "the id of a VPC", "as vpc-0123456789abcdef0"),
    "--subnets": Form(_id("subnet"), "ids of subnets, with commas", "as subnet-0123456789abcdef0"),
    "--file-system": Form(_id("fs"), "the id of an EFS file system", "as fs-0123456789abcdef0"),
    "--bucket": Form(BUCKET, "a bucket's name", _NAMING),
    "--read-bucket": Form(rf"(?:arn:aws[\w-]*:s3:::|s3://)?{BUCKET}/?", "a bucket's name", _NAMING),
    "--secret": Form(
        _arn("secretsmanager", r"secret:[\w/+=.@*?-]+"),
        "the ARN of a secret of Secrets Manager",
        "as arn:aws:secretsmanager:…:secret:NAME-a1b2c3",
    ),
    "--task-policy": _POLICY,
    "--permissions-boundary": _POLICY,
    "--roles": Form(_arn("iam", f"role/{_PATH}"), "KIND= and the ARN of a role", "as task=arn:aws:iam::…:role/NAME"),
    "--kms-key": Form(_arn("kms", r"key/[\w-]+"), "the ARN of a key, and an alias is none", "as arn:aws:kms:…:key/…"),
    "--head-image": Form(r"[\w][\w.:/@-]*", "an image", "as public.ecr.aws/docker/library/python:3.13-slim"),
}
"""By the option of `up`."""


def check_forms(given: Mapping[str, Sequence[str]]) -> None:
    """Raise UsageError for what has not the form of its option; an empty text is nothing, and fits."""
    for option, values in given.items():
        form = FORMS[option]
        for value in filter(None, values):
            if not re.fullmatch(form.pattern, value):
                # What stands in the place of a secret's ARN may be the secret itself, by mistake: it is not repeated.
                found = "" if option == "--secret" else f", not '{value}'"
                raise UsageError(f"{option} wants {form.what}{found}", hint=form.hint)
