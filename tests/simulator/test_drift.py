"""Drift of a deployment's stack, as `doctor` asks for it."""

from __future__ import annotations

import json

from .cloud import Cloud, until
from .deployments import deploy


def drifted(cloud: Cloud) -> dict[str, str]:
    """Detect the drift of `lab`: the state of each resource that is not as the stack made it."""
    formation = cloud.client("cloudformation")
    detection = formation.detect_stack_drift(StackName="lab")["StackDriftDetectionId"]

    def done() -> bool:
        found = formation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        return bool(found["DetectionStatus"] == "DETECTION_COMPLETE")

    until(done)
    found = formation.describe_stack_resource_drifts(StackName="lab")["StackResourceDrifts"]
    assert len(found) > 20
    states = {each["LogicalResourceId"]: each["StackResourceDriftStatus"] for each in found}
    return {name: state for name, state in states.items() if state != "IN_SYNC"}


def test_what_somebody_changed_behind_the_stack_is_found(cloud: Cloud) -> None:
    deployment = deploy(cloud)
    assert drifted(cloud) == {}

    more = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    head = deployment.head_role.rpartition("/")[2]
    cloud.client("iam").put_role_policy(RoleName=head, PolicyName="more", PolicyDocument=more)
    cloud.client("s3").delete_public_access_block(Bucket=deployment.bucket)
    cloud.client("efs").delete_access_point(AccessPointId=deployment.access_point)
    cloud.client("logs").put_retention_policy(logGroupName=deployment.log_group, retentionInDays=1)

    assert drifted(cloud) == {
        "FilesAccess": "DELETED",
        "Logs": "MODIFIED",
        "OwnHeadRole": "MODIFIED",
        "Results": "MODIFIED",
    }
