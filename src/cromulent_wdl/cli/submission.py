"""From what was typed to a bundle in the deployment's bucket: what is uploaded, and what the head is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from WDL import values_to_json
from WDL.runtime.config import Loader

from ..aws.access import Access
from ..model.deployment import Deployment
from ..plugin.settings import settings_of
from ..submit import bundle as bundles
from ..submit import inputs as input_files
from ..submit import uploading
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
    lacking = uploading.missing(access, deployment.bucket, files.uploads)
    with Progress("uploading", sum(file.size for file in lacking)) as progress:
        spared = uploading.send(access, deployment.bucket, lacking, progress)
    uploading.send_environment(access, deployment.bucket, made, partial(Progress, "uploading what heads need"))
    bundle = _bundle(deployment, files, bound, options, cfg, made)
    digest = bundles.write(access, deployment.bucket, bundle, bundles.source_zip(source.document))
    given = {f"s3://{deployment.bucket}/{key}": path for path, key in files.keys.items()}
    size = sum(file.size for file in lacking)
    return Sent(digest, len(files.uploads), len(lacking), size, given, spared=spared)


def _bundle(
    deployment: Deployment, files: Plan, bound: Bound, options: RunOptions, cfg: Loader, made: Environment
) -> bundles.Bundle:
    inputs = input_files.addressed(bound.inputs, files.keys, deployment.bucket)
    return bundles.Bundle(
        name=bound.target.name,
        environment=made.digest,
        inputs=values_to_json(inputs, namespace=bound.target.name),
        task=options.task or "",
        options=options_to_carry(options, cfg),
        settings=settings_to_carry(settings_of(cfg)),
    )
