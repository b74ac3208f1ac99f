"""Pulls of images from Amazon ECR, judged as the execution role's (ECS page "Amazon ECS task execution IAM role").

Nothing is pulled here: what an image has in it is the data plane's business. A registry of another account lets nobody
in, since this ECR has no policies of repositories. What AWS says is known from public reports (facts: pull from ECR).
"""

from __future__ import annotations

import re

from ..ecs import ApiError, Place, PullRefused
from . import roles
from .authorization import Judge

__all__ = ["ImagePulls"]

_IMAGE = re.compile(
    r"(?P<host>(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?)/"
    r"(?P<name>[^:@]+)[:@]?(?P<tag>.*)"
)
_PULLING = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


class ImagePulls:
    """Says who may pull what."""

    def __init__(self, judge: Judge | None) -> None:
        self._judge = judge

    def check(self, place: Place, role: str, image: str) -> None:
        """Raise PullRefused where the role may not pull the image."""
        found = _IMAGE.fullmatch(image)
        if found is None or self._judge is None:
            return
        keys = roles.keys_of(place, role, "pull")
        if keys is None:
            raise PullRefused(_no_login("AccessDeniedException", f"there is no role {role}"))
        try:
            self._judge.check(keys.key, "ecr:GetAuthorizationToken", "*", place, {})
        except ApiError as refused:
            raise PullRefused(_no_login(refused.code, refused.message)) from refused
        repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
        try:
            if found["account"] != place.account:
                raise ApiError("AccessDeniedException", "another account's repository")
            for action in _PULLING:
                self._judge.check(keys.key, action, repository, place, {})
        except ApiError as refused:
            tag = found["tag"] or "latest"
            raise PullRefused(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                f"{image}: pulling from host {found['host']} failed with status code [manifests {tag}]: 403 Forbidden"
            ) from refused


def _no_login(code: str, message: str) -> str:
    return (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        f"unable to retrieve ecr registry auth: service call has been retried 3 time(s): {code}: {message}"
    )
