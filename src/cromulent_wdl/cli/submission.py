"""From what was typed to a bundle in the deployment's bucket: what is uploaded, and what the head is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from WDL import values_to_json
from WDL.runtime.config import Loader

from ..aws.access import Access
from ..clock import SYSTEM
from ..model.deployment import Deployment
from ..plugin.settings import settings_of
from ..storage.bucket import content_at
from ..submit import bundle as bundles
from ..submit import claims, uploading
from ..submit import inputs as input_files
from ..submit.bundle import Bundle
from ..submit.environment import Environment, environment
from ..submit.inputs import Plan
from .carrying import options_to_carry, settings_to_carry
from .options import RunOptions
from .source import Bound, Source
from .transfers import Progress

__all__ = ["Sent", "send"]


@dataclass(frozen=True)
class Sent:
    """A bundle that is in the bucket."""

    digest: str
    wanted: int
    """How many local files it has among its inputs."""
    files: int
    """How many of these the bucket lacked."""
    bytes: int
    """Of what it lacked."""
    given: Mapping[str, str]
    """The local paths among its inputs, by the addresses that they have there."""
    run: str = ""
    """The id of the run that is to be started with it."""
    spared: int = 0
    """Of these what an upload that was broken off had left there."""


def send(
    access: Access, deployment: Deployment, source: Source, bound: Bound, options: RunOptions, cfg: Loader
) -> Sent:
    """Upload what the run needs and the bucket lacks, and return the bundle."""
    files = input_files.plan(bound.inputs)
    made = environment()
    bundle, zipped = _bundle(deployment, files, bound, options, cfg, made), bundles.source_zip(source.document)
    claimed = SYSTEM.now()
    sent = _sent(access, deployment, files, made, bundle, zipped)
    while SYSTEM.now() - claimed > claims.GOOD_FOR:  # it took so long that `gc` may have gone about some of it
        claimed = SYSTEM.now()
        again = _sent(access, deployment, files, made, bundle, zipped)
        sent = replace(sent, files=sent.files + again.files, bytes=sent.bytes + again.bytes)
    return sent


def _sent(
    access: Access, deployment: Deployment, files: Plan, made: Environment, bundle: Bundle, zipped: bytes
) -> Sent:
    """Claim what the bundle names, upload what of it is not there, and return the bundle."""
    bucket = deployment.bucket
    digest = bundles.write(access, bucket, bundle, zipped)
    leaving = claims.going(access, bucket)
    own = {content_at(key) for key in files.uploads}
    claims.check_kept(access, bucket, json.dumps(bundle.inputs), leaving, own)
    lacking = uploading.missing(access, bucket, files.uploads, leaving)
    with Progress("uploading", sum(file.size for file in lacking)) as progress:
        spared = uploading.send(access, bucket, lacking, progress)
    uploading.send_environment(access, bucket, made, leaving, partial(Progress, "uploading what heads need"))
    given = {f"s3://{bucket}/{key}": path for path, key in files.keys.items()}
    size = sum(file.size for file in lacking)
    return Sent(digest, len(files.uploads), len(lacking), size, given, spared=spared)


def _bundle(
    deployment: Deployment, files: Plan, bound: Bound, options: RunOptions, cfg: Loader, made: Environment
) -> Bundle:
    inputs = input_files.addressed(bound.inputs, files.keys, deployment.bucket)
    return Bundle(
        name=bound.target.name,
        environment=made.digest,
        inputs=values_to_json(inputs, namespace=bound.target.name),
        task=options.task or "",
        options=options_to_carry(options),
        settings=settings_to_carry(settings_of(cfg)),
    )
