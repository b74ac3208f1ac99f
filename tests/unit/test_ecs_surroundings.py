"""Clusters, tags, volumes and logs of a launch, token buckets, meters, and by what a request is judged."""

from __future__ import annotations

from typing import Any

import pytest

from cromulent_wdl.simulator.ecs import ApiError, EcsSettings, FileSystem, Launch, RunningTask, Watcher
from tests.fakes.ecs_world import CALLER, PLACE, ROLE, Stage, container, definition

POINT = {"accessPointId": "fsap-1"}


class KeptLaunches:
    """A data plane that starts nothing, and keeps what it was asked to start."""

    def __init__(self) -> None:
        self.launches: list[Launch] = []

    def start(self, launch: Launch, watcher: Watcher) -> RunningTask:
        self.launches.append(launch)
        return self

    def stop(self, patience: float | None) -> None:
        pass

    def close(self) -> None:
        pass


def launched(changes: dict[str, Any], **request: Any) -> Launch:
    plane = KeptLaunches()
    stage = Stage(plane=plane)
    stage.ask("RegisterTaskDefinition", **definition(executionRoleArn=ROLE, **changes))
    stage.run(**request)
    stage.pass_time(0)
    return plane.launches[0]


def failed(changes: dict[str, Any], stage: Stage | None = None) -> str:
    stage = stage or Stage()
    stage.ask("RegisterTaskDefinition", **definition(executionRoleArn=ROLE, **changes))
    (task,) = stage.run()
    stage.pass_time(0)
    ended = stage.task(task["taskArn"])
    assert (ended["lastStatus"], ended["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    return str(ended["stoppedReason"])


def efs(**changes: Any) -> dict[str, Any]:
    volume = {"fileSystemId": "fs-1", "transitEncryption": "ENABLED", **changes}
    return {"volumes": [{"name": "runs", "efsVolumeConfiguration": volume}]}


def logs(**options: str) -> dict[str, Any]:
    chosen = {"awslogs-group": "/cromulent", "awslogs-region": "eu-west-1", **options}
    return {"containerDefinitions": [container(logConfiguration={"logDriver": "awslogs", "options": chosen})]}


def test_overrides_reach_the_container() -> None:
    base = container(environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}], entryPoint=["/bin/env"])
    override = {"name": "main", "command": ["sh"], "environment": [{"name": "B", "value": "2"}], "memory": 256}
    overrides = {"cpu": "512", "memory": "1024", "taskRoleArn": ROLE, "containerOverrides": [override]}
    launch = launched({"containerDefinitions": [base]}, overrides=overrides)
    (plan,) = launch.containers
    assert (launch.cpu, launch.memory, launch.storage, launch.task_role_arn) == (512, 1024, 20, ROLE)
    assert (plan.entry_point, plan.command, plan.memory) == (("/bin/env",), ("sh",), 256)
    assert plan.environment == {"A": "1", "B": "2"}


def test_an_access_point_gives_its_own_root() -> None:
    (volume,) = launched(efs(authorizationConfig=POINT)).volumes
    assert (volume.file_system, volume.root_directory) == ("fs-1", "/runs")
    assert volume.access_point is not None and volume.access_point.user == (1000, 1000)


def test_a_directory_of_a_file_system() -> None:
    assert launched(efs(rootDirectory="/deep")).volumes[0].root_directory == "/deep"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (efs(fileSystemId="fs-x"), 'Failed to resolve "fs-x.efs.eu-west-1.amazonaws.com"'),
        (efs(authorizationConfig={"accessPointId": "fsap-x"}), "access denied"),
        (logs(**{"awslogs-group": "/nowhere"}), "The specified log group does not exist."),
        (logs(**{"awslogs-region": ""}), "awslogs-region is required"),
    ],
)
def test_what_is_missing_fails_the_task_and_not_the_request(changes: dict[str, Any], words: str) -> None:
    reason = failed(changes)
    assert reason.startswith("ResourceInitializationError: ")
    assert words in reason


def test_a_zone_without_mount_target_cannot_mount() -> None:
    stage = Stage()
    stage.world.file_systems["fs-1"] = FileSystem("fs-1", frozenset(("eu-west-1b",)))
    assert "has an EFS mount target" in failed(efs(), stage)


def test_log_streams_are_known_before_the_start() -> None:
    launch = launched(logs(**{"awslogs-stream-prefix": "run-1"}))
    assert launch.containers[0].log is not None
    assert launch.containers[0].log.stream == f"run-1/main/{launch.task_id}"


def test_a_cluster_with_tasks_is_not_deleted() -> None:
    stage = Stage()
    stage.run()
    assert stage.refused("DeleteCluster", cluster="runs").code == "ClusterContainsTasksException"
    stage.pass_time(5)
    assert stage.ask("DeleteCluster", cluster="runs")["cluster"]["status"] == "INACTIVE"
    assert stage.ask("ListClusters")["clusterArns"] == []
    assert stage.refused("ListTasks", cluster="runs").code == "ClusterNotFoundException"


def test_clusters_are_counted_and_described() -> None:
    stage = Stage()
    stage.run(count=2)
    pending = stage.ask("DescribeClusters", clusters=["runs", "other"])
    assert pending["clusters"][0]["pendingTasksCount"] == 2
    assert [failure["reason"] for failure in pending["failures"]] == ["MISSING"]
    stage.pass_time(0.5)
    assert stage.ask("DescribeClusters", clusters=["runs"])["clusters"][0]["runningTasksCount"] == 2


def test_only_fargates_providers_exist() -> None:
    stage = Stage()
    ask: dict[str, Any] = {"cluster": "runs", "defaultCapacityProviderStrategy": []}
    refusal = stage.refused("PutClusterCapacityProviders", **ask, capacityProviders=["mine"])
    assert "The specified capacity provider was not found." in refusal.message
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    answer = stage.ask(
        "PutClusterCapacityProviders",
        cluster="runs",
        capacityProviders=["FARGATE_SPOT"],
        defaultCapacityProviderStrategy=strategy,
    )
    assert answer["cluster"]["defaultCapacityProviderStrategy"] == strategy
    with pytest.raises(ApiError, match="not associated with the cluster"):
        stage.run(capacityProviderStrategy=[{"capacityProvider": "FARGATE"}])


def test_tags_on_everything_that_has_them() -> None:
    stage = Stage()
    (task,) = stage.run()
    cluster = stage.ask("DescribeClusters", clusters=["runs"])["clusters"][0]["clusterArn"]
    job = stage.ask("DescribeTaskDefinition", taskDefinition="job")["taskDefinition"]["taskDefinitionArn"]
    for arn in (task["taskArn"], cluster, job):
        stage.ask("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
        stage.ask("UntagResource", resourceArn=arn, tagKeys=["a"])
        assert stage.ask("ListTagsForResource", resourceArn=arn) == {"tags": [{"key": "b", "value": "2"}]}
    missing = task["taskArn"][:-1] + "x"
    assert stage.refused("TagResource", resourceArn=missing, tags=[]).code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("action", "request_", "burst", "refill"),
    [
        ("DescribeTasks", {"cluster": "runs", "tasks": ["0" * 32]}, 100, 20),
        ("ListTasks", {"cluster": "runs"}, 100, 20),
        ("RegisterTaskDefinition", dict(definition()), 19, 1),
        ("DescribeTaskDefinition", {"taskDefinition": "job"}, 50, 20),
    ],
)
def test_token_buckets(action: str, request_: dict[str, Any], burst: int, refill: int) -> None:
    stage = Stage(EcsSettings(enforce_limits=True))

    def taken(most: int) -> int:
        for done in range(most):
            try:
                stage.ask(action, **request_)
            except ApiError as refusal:
                assert (refusal.code, refusal.message) == ("ThrottlingException", "Rate exceeded")
                return done
        return most

    assert taken(200) == burst  # the stage itself has registered one definition
    assert taken(1) == 0
    stage.pass_time(1)
    assert taken(200) == refill
    assert stage.service.meters()["actions"][action]["throttled"] == 3


def test_describe_and_list_share_a_bucket_and_spot_has_its_own_for_launches() -> None:
    stage = Stage(EcsSettings(enforce_limits=True))
    for _ in range(100):
        stage.ask("ListTasks", cluster="runs")
    assert stage.refused("DescribeTasks", cluster="runs", tasks=["0" * 32]).code == "ThrottlingException"
    for _ in range(10):
        stage.run(count=10)
    with pytest.raises(ApiError, match="Rate exceeded"):
        stage.run()
    assert len(stage.run(count=10, capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}])) == 10


def test_meters() -> None:
    stage = Stage()
    stage.run(count=2, overrides={"cpu": "1024", "memory": "2048"})
    stage.refused("RunTask", taskDefinition="job", cluster="runs", count=11)
    stage.pass_time(10)
    meters = stage.service.meters()
    assert meters["actions"]["RunTask"] == {
        "requests": 2,
        "peakPerSecond": 2,
        "throttled": 0,
        "errors": {"InvalidParameterException": 1},
    }
    assert meters["tasks"] == {"accepted": 2, "endings": {"EssentialContainerExited:0": 2}}
    assert (meters["vcpuSeconds"], meters["gbSeconds"]) == (2.0, 4.0)
    stage.service.reset_meters()
    assert stage.service.meters()["actions"] == {}


def test_an_action_that_we_do_not_have_is_refused() -> None:
    stage = Stage()
    with pytest.raises(ApiError, match="does not have CreateService"):
        stage.service.handle("CreateService", {"serviceName": "web"}, CALLER)
    with pytest.raises(ApiError, match="Unknown operation"):
        stage.service.handle("MakeCoffee", {}, CALLER)


def test_run_task_is_judged_by_the_revision_and_its_roles() -> None:
    stage = Stage()
    stage.ask("RegisterTaskDefinition", **definition(executionRoleArn=ROLE))
    request = {"cluster": "runs", "taskDefinition": "job", "tags": [{"key": "run", "value": "r1"}]}
    judged = stage.service.authorization("RunTask", request, CALLER)
    assert judged.resources == ("arn:aws:ecs:eu-west-1:123456789012:task-definition/job:2",)
    assert judged.conditions["ecs:cluster"] == "arn:aws:ecs:eu-west-1:123456789012:cluster/runs"
    assert judged.conditions["aws:RequestTag/run"] == "r1"
    assert judged.passed_roles == (ROLE,)
    assert judged.also == ("ecs:TagResource",)


def test_tasks_are_judged_by_their_arns() -> None:
    judged = Stage().service.authorization("DescribeTasks", {"cluster": "runs", "tasks": ["1", "2"]}, CALLER)
    prefix = "arn:aws:ecs:eu-west-1:123456789012:task/runs/"
    assert judged.resources == (prefix + "1", prefix + "2")


def test_a_task_is_told_what_it_is() -> None:
    stage = Stage()
    (task,) = stage.run(overrides={"taskRoleArn": ROLE, "cpu": "1024", "memory": "2048"})
    task_id = task["taskArn"].rpartition("/")[2]
    stage.pass_time(0.5)
    whole = stage.service.metadata(task_id, "main", whole_task=True)
    alone = stage.service.metadata(task_id, "main", whole_task=False)
    assert whole is not None and alone is not None
    assert (whole["TaskARN"], whole["Family"], whole["Revision"]) == (task["taskArn"], "job", "1")
    assert (whole["KnownStatus"], whole["Limits"]) == ("RUNNING", {"CPU": 1.0, "Memory": 2048})
    assert whole["Containers"] == [alone]
    assert alone["Labels"]["com.amazonaws.ecs.task-arn"] == task["taskArn"]
    assert stage.service.role_of(task_id) == (PLACE, ROLE)
    assert stage.service.metadata(task_id, "other", whole_task=True) is None
    assert stage.service.role_of("unknown") is None
