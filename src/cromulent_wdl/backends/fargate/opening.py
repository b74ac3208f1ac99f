"""Makes the Fargate backend from settings: looks for the deployment, and for how much there is room."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import partial

from ...aws import network, quotas
from ...aws.access import Access
from ...aws.deployments import find_deployment
from ...aws.ecs import Ecs
from ...clock import SYSTEM, Clock
from ...config import Settings
from ...errors import AwsDenied, AwsError
from ...model import Deployment
from ...model.deployment import deployment_in
from ...monitor import Monitor, Waits
from ..workplace import Workplace
from .backend import FargateBackend
from .cloud import Cloud, Files
from .gate import Gate
from .images import Images
from .ladder import ON_DEMAND, SPOT
from .turns import Measured, Room

__all__ = ["fargate", "open_cloud", "waits_of"]

_log = logging.getLogger(__name__)


def fargate(workplace: Workplace) -> FargateBackend:
    """Return the backend of the deployment that the settings name, or whose head this is.

    Raises DeploymentNotFound, CredentialsError and AwsError, before anything is started.
    """
    settings = workplace.settings
    access = Access(profile=settings.profile or None, region=settings.region or None)
    deployment = deployment_in(os.environ) or find_deployment(access, settings.deployment)
    cloud = open_cloud(access, deployment, settings, workplace.clock)
    return FargateBackend(replace(cloud, spent=workplace.spent))


def open_cloud(access: Access, deployment: Deployment, settings: Settings, clock: Clock = SYSTEM) -> Cloud:
    """Return the deployment as this process uses it."""
    pauses = (settings.retry_pause, settings.call_pause_most)
    ecs = Ecs(access, deployment.cluster, pauses=pauses, clock=clock)
    room, measure = Room(), partial(_measured, access, deployment)
    room.measured(_measured(access, deployment, logging.WARNING))
    return Cloud(
        access=access,
        deployment=deployment,
        settings=settings,
        files=Files(access, deployment, settings),
        images=Images(access, settings),
        ecs=ecs,
        monitor=Monitor(ecs.describe, waits_of(settings), clock),
        gate=Gate(ecs.launch_delay, room, clock, measure=measure, measure_every=settings.room_pause),
        clock=clock,
    )


def waits_of(settings: Settings) -> Waits:
    """Return how long the monitor waits for what."""
    return Waits(
        least=settings.poll_least,
        most=settings.poll_most,
        lost_after=settings.lost_after,
        stuck_after=settings.stuck_after,
    )


def _measured(access: Access, deployment: Deployment, denied: int = logging.INFO) -> Measured:
    """Return how much room there is. What the caller may not ask is taken for endless: AWS says so soon enough.

    `denied` is the level at which that is told.
    """

    def tell(what: str, error: AwsError) -> None:
        level = denied if isinstance(error, AwsDenied) else logging.INFO
        _log.log(level, "%s are not known, so launches are not paced by them: %s", what, error)

    vcpus = addresses = None
    try:
        found = quotas.fargate(access)
        vcpus = {ON_DEMAND: found.on_demand, SPOT: found.spot}
    except AwsError as error:
        tell("the account's vCPU quotas", error)
    try:
        addresses = sum(each.free_addresses for each in network.subnets(access, deployment.subnets))
    except AwsError as error:
        tell("the subnets' free addresses", error)
    return Measured(vcpus, addresses)
