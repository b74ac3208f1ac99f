"""`up --here`: a deployment for what an EC2 host has mounted already."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

from cromulent_wdl.aws.file_systems import FileSystem, MountTarget
from cromulent_wdl.aws.instance import Instance, this_instance
from cromulent_wdl.aws.network import Subnet
from cromulent_wdl.errors import UsageError
from cromulent_wdl.pricing.card import shipped
from cromulent_wdl.provision import applying
from cromulent_wdl.provision.here import Host, choose_mount, chosen_subnets, invoking_user, wishes_here
from cromulent_wdl.provision.wishes import Wishes
from cromulent_wdl.simulator.process import Simulation
from cromulent_wdl.storage.shared import SharedFiles
from tests.fakes.http_server import Answer, Behaviour, serving

from .cloud import Cloud
from .deployments import access_to, quietly, up
from .inventory import inventory
from .test_up import network
from .test_up_command import Run, account, cromulent, environment

__all__ = ["account", "cromulent", "environment"]

LAB = Wishes("lab")
PRICES = shipped().rates("us-east-1")
USER = (1234, 5678)


@dataclass(frozen=True)
class Standing:
    """A file system with mount targets in two subnets of a network, and an instance in the first."""

    instance: Instance
    files: str
    group: str
    subnets: list[str]

    def host(self, root: str = "/", point: str = "") -> Host:
        return Host(self.instance, SharedFiles(Path("/mnt/efs"), root, self.files, point), USER)


@pytest.fixture
def standing(cloud: Cloud) -> Standing:
    return make(cloud)


def make(cloud: Cloud) -> Standing:
    vpc, subnets = network(cloud)
    ec2, efs = cloud.client("ec2"), cloud.client("efs")
    group = ec2.create_security_group(GroupName="files", Description="files", VpcId=vpc)["GroupId"]
    files = efs.create_file_system(CreationToken="theirs")["FileSystemId"]
    for subnet in subnets[:2]:
        efs.create_mount_target(FileSystemId=files, SubnetId=subnet, SecurityGroups=[group])
    return Standing(Instance("us-east-1", vpc, subnets[0], "use1-az1"), files, group, subnets)


def test_only_what_is_missing_is_made(cloud: Cloud, standing: Standing) -> None:
    before = inventory(cloud)
    access = access_to(cloud)
    wishes = wishes_here(access, LAB, standing.host("/lab"))
    planned = applying.plan(access, wishes, quietly)
    made = applying.carry_out(access, planned, quietly)
    after = inventory(cloud)

    assert any(line.startswith(f"open       {standing.group}, the mount targets'") for line in planned.in_words(PRICES))
    assert {kind for kind in after if after[kind] != before.get(kind)} == {
        *(
            "access points",
            "buckets",
            "clusters",
            "log groups",
            "machines",
            "roles",
            "rules",
            "security groups",
            "task definitions",
        ),
    }
    assert (made.vpc, list(made.subnets), made.file_system) == (
        standing.instance.vpc, standing.subnets[:2], standing.files,
    )  # fmt: skip
    point = cloud.client("efs").describe_access_points(AccessPointId=made.access_point)["AccessPoints"][0]
    assert (point["PosixUser"], point["RootDirectory"]["Path"]) == ({"Uid": 1234, "Gid": 5678}, "/lab")
    rules = cloud.client("ec2").describe_security_groups(GroupIds=[standing.group])["SecurityGroups"][0]
    assert [rule["UserIdGroupPairs"][0]["GroupId"] for rule in rules["IpPermissions"]] == [made.security_group]
    assert up(cloud, wishes_here(access, LAB, standing.host("/lab"))) is None


def test_what_was_mounted_by_an_access_point_is_below_its_root(cloud: Cloud, standing: Standing) -> None:
    point = cloud.client("efs").create_access_point(FileSystemId=standing.files, RootDirectory={"Path": "/users/ada"})
    wishes = wishes_here(access_to(cloud), LAB, standing.host("/wdl", point["AccessPointId"]))

    assert wishes.files_path == "/users/ada/wdl"
    with pytest.raises(UsageError, match="is gone"):
        wishes_here(access_to(cloud), LAB, standing.host("/", "fsap-0123456789abcdef0"))


def test_a_deployment_stays_with_its_files_and_its_user(cloud: Cloud, standing: Standing) -> None:
    access = access_to(cloud)
    up(cloud, wishes_here(access, LAB, standing.host()))
    somebody = Host(standing.instance, standing.host().shared, (1, 1))

    for host in (somebody, standing.host("/other")):
        with pytest.raises(UsageError, match="'lab' is for / of user 1234"):
            up(cloud, wishes_here(access, LAB, host))
    assert up(cloud, LAB) is None


def test_what_cannot_be_shared_is_refused(cloud: Cloud, standing: Standing) -> None:
    access, elsewhere = access_to(cloud), network(cloud)
    without_id = Host(standing.instance, SharedFiles(Path("/mnt/efs")), USER)
    in_another_network = Host(
        Instance("us-east-1", elsewhere[0], elsewhere[1][0], "use1-az1"), standing.host().shared, USER
    )
    gone = Host(standing.instance, SharedFiles(Path("/mnt"), "/", "fs-0123456789abcdef0"), USER)

    for host, words in (
        (without_id, "does not tell its id"),
        (in_another_network, "no mount target in"),
        (gone, "no file"),
    ):
        with pytest.raises(UsageError, match=words):
            wishes_here(access, LAB, host)


def subnet(identity: str, zone: str, way_out: str = "igw-1") -> Subnet:
    return Subnet(identity, "vpc-1", zone, 100, way_out)


def test_tasks_get_a_subnet_a_zone_of_the_hosts_kind() -> None:
    zones = ("az1", "az2", "az3")
    targets = tuple(MountTarget(f"m{zone}", "vpc-1", f"s{zone}", zone, (), "available") for zone in zones)
    files = FileSystem("fs-1", "available", 0, 0, targets)
    host = subnet("host", "az1")
    others = [subnet("saz1", "az1"), subnet("saz2", "az2", "nat-1"), subnet("saz3", "az3"), subnet("saz4", "az4")]

    assert [each.identity for each in chosen_subnets([host, *others], files)] == ["host", "saz3"]
    outside = subnet("host", "az9")
    assert [each.identity for each in chosen_subnets([outside, *others], files)] == ["saz1", "saz3"]


def test_the_mount_that_is_meant(tmp_path: Path) -> None:
    one, other = SharedFiles(tmp_path / "one", "/", "fs-1"), SharedFiles(tmp_path / "other", "/", "fs-2")
    for each in (one, other):
        each.mount.mkdir()

    assert choose_mount([one], "/nowhere") == one
    assert choose_mount([one, other], str(tmp_path / "other")) == other
    with pytest.raises(UsageError, match="several file systems are mounted here"):
        choose_mount([one, other], str(tmp_path))
    with pytest.raises(UsageError, match="no EFS file system is mounted"):
        choose_mount([], str(tmp_path))


def test_root_is_nobody_on_efs() -> None:
    assert invoking_user({}, 1000, 100) == (1000, 100)
    assert invoking_user({"SUDO_UID": "1000", "SUDO_GID": "100"}, 0, 0) == (1000, 100)
    with pytest.raises(UsageError, match="cannot be root"):
        invoking_user({}, 0, 0)


def telling(told: dict[str, str]) -> Behaviour:
    """Behave as a metadata service that answers nobody who comes without a token."""

    def answer(path: str, headers: Message) -> Answer:
        if path == "/latest/api/token":
            return Answer(body=b"token")
        if headers["x-aws-ec2-metadata-token"] != "token":
            return Answer(401)
        return Answer(body=told[path.removeprefix("/latest/meta-data/")].encode())

    return answer


def told_of(vpc: str, subnet: str) -> dict[str, str]:
    interface = {
        f"network/interfaces/macs/0a:1/{name}": value for name, value in (("vpc-id", vpc), ("subnet-id", subnet))
    }
    return {"mac": "0a:1", "placement/region": "us-east-1", "placement/availability-zone-id": "use1-az1", **interface}


def test_the_instance_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(telling(told_of("vpc-1", "subnet-1"))) as server:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
        assert this_instance() == Instance("us-east-1", "vpc-1", "subnet-1", "use1-az1")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        assert this_instance() is None


def test_the_command_off_ec2(cromulent: Run, environment: dict[str, str], simulation: Simulation) -> None:
    environment |= {"SUDO_UID": "1000", "SUDO_GID": "1000", "AWS_EC2_METADATA_DISABLED": "true"}
    nothing = cromulent("up", "--here", "--yes")
    assert (nothing.returncode, nothing.stdout) == (2, "") and "no EFS file system is mounted" in nothing.stderr
    environment["CROMULENT_MOUNT"] = "/"
    assert "this is no EC2 host" in cromulent("up", "--here", "--yes").stderr


def test_the_command_on_ec2(
    cromulent: Run, environment: dict[str, str], simulation: Simulation, account: str, tmp_path: Path
) -> None:
    with Cloud.at(simulation.address, account, "test") as cloud:
        standing = make(cloud)
    with serving(telling(told_of(standing.instance.vpc, standing.subnets[0]))) as server:
        environment |= {
            "SUDO_UID": "1000", "SUDO_GID": "100", "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url,
            "CROMULENT_MOUNT": str(tmp_path), "CROMULENT_FILE_SYSTEM": standing.files,
        }  # fmt: skip
        environment.pop("AWS_REGION"), environment.pop("AWS_DEFAULT_REGION")  # an EC2 host often has none set
        made = cromulent("up", "--here", "--yes")
        again = cromulent("up", "--here", "--yes")

    assert made.returncode == 0, made.stderr
    assert f"Here {tmp_path} is / of {standing.files}" in made.stderr
    assert f"open       {standing.group}" in made.stderr
    assert again.stderr.splitlines()[-1] == "  nothing to change"
