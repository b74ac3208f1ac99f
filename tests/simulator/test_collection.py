"""`gc`: what of ended runs it finds, and whose it leaves alone."""

from __future__ import annotations

import json

from cromulent_wdl.runs.collection import survey

from .cloud import Cloud
from .deployments import access_to, deploy

ENDED, GOES_ON = "20261126_180000_align-abcdef1234", "20261126_180000_align-abcdef5678"


def access_point(cloud: Cloud, file_system: str, deployment: str, run: str) -> str:
    tags = {"cromulent:deployment": deployment, "cromulent:run": run}
    made = cloud.client("efs").create_access_point(
        FileSystemId=file_system, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )
    return str(made["AccessPointId"])


def test_only_access_points_of_own_runs_that_are_over_would_go(cloud: Cloud) -> None:
    deployment = deploy(cloud)
    given = json.dumps({"version": 1, "bundle": "b"})
    cloud.client("stepfunctions").start_execution(stateMachineArn=deployment.state_machine, name=GOES_ON, input=given)
    over = access_point(cloud, deployment.file_system, deployment.name, ENDED)
    access_point(cloud, deployment.file_system, deployment.name, GOES_ON)
    access_point(cloud, deployment.file_system, "of-others", ENDED)  # in a file system that both have
    access_point(cloud, deployment.file_system, deployment.name, "a-run-led-elsewhere")

    assert survey(access_to(cloud), deployment, before=0.0, keep_last=0).access_points == (over,)
