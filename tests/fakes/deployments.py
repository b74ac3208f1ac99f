"""A deployment that exists nowhere."""

from __future__ import annotations

from cromulent_wdl.model import Deployment

__all__ = ["LAB"]

LAB = Deployment(
    name="lab",
    version="1",
    region="us-east-1",
    account="123456789012",
    vpc="vpc-1",
    subnets=("subnet-1", "subnet-2"),
    assign_public_ip=True,
    security_group="sg-1",
    file_system="fs-1",
    access_point="fsap-all",
    bucket="lab-bucket",
    cluster="lab-cluster",
    log_group="/cromulent/lab",
    execution_role="arn:aws:iam::123456789012:role/execution",
    task_role="arn:aws:iam::123456789012:role/task",
    head_role="arn:aws:iam::123456789012:role/head",
    states_role="arn:aws:iam::123456789012:role/states",
    state_machine="arn:aws:states:us-east-1:123456789012:stateMachine:run",
    sweep_machine="arn:aws:states:us-east-1:123456789012:stateMachine:sweep",
)
