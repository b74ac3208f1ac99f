"""Networks: zones, subnets and the way from them to the internet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .access import Access, asking

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

__all__ = ["Subnet", "resolves_names", "subnets", "subnets_of", "zones"]


@dataclass(frozen=True)
class Subnet:
    """A subnet that is there."""

    identity: str
    vpc: str
    zone: str
    """The zone's id, as use1-az1, which is the same in every account."""
    free_addresses: int
    way_out: str
    """Where its default route leads: the id of a gateway, as igw-… or nat-…; nothing where there is none."""

    @property
    def public(self) -> bool:
        """Whether it reaches the internet by an internet gateway, for which tasks need public addresses."""
        return self.way_out.startswith("igw-")


def zones(access: Access) -> tuple[str, ...]:
    """Return the ids of the region's availability zones that this account can use, in order."""
    with asking("listing the region's zones"):
        found = _client(access).describe_availability_zones(
            Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
        )["AvailabilityZones"]
    return tuple(sorted(each["ZoneId"] for each in found))


def subnets(access: Access, identities: Sequence[str]) -> tuple[Subnet, ...]:
    """Return the subnets in the order of their ids. Raises AwsError where one is not there."""
    with asking(f"looking at subnets {', '.join(identities)}"):
        found = _client(access).describe_subnets(SubnetIds=list(identities))["Subnets"]
    by_identity = {each.identity: each for each in _subnets(access, found)}
    return tuple(by_identity[identity] for identity in identities)


def subnets_of(access: Access, vpc: str) -> tuple[Subnet, ...]:
    """Return all subnets of a VPC, in the order of their zones."""
    with asking(f"listing the subnets of {vpc}"):
        found = _client(access).describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    return tuple(sorted(_subnets(access, found), key=lambda each: (each.zone, each.identity)))


def resolves_names(access: Access, vpc: str) -> bool:
    """Tell whether a VPC has DNS, and names for its hosts: tasks find the file system by name."""
    with asking(f"looking at {vpc}"):
        client = _client(access)
        support = client.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")["EnableDnsSupport"]
        names = client.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"]
    return bool(support.get("Value") and names.get("Value"))


def _client(access: Access) -> EC2Client:
    client: EC2Client = access.client("ec2")
    return client


def _subnets(access: Access, found: Iterable[Any]) -> list[Subnet]:
    listed = list(found)
    networks = sorted({each["VpcId"] for each in listed})
    if not networks:
        return []
    with asking(f"reading the routes of {', '.join(networks)}"):
        tables = _client(access).describe_route_tables(Filters=[{"Name": "vpc-id", "Values": networks}])["RouteTables"]
    explicit = {a.get("SubnetId"): table for table in tables for a in table.get("Associations", ())}
    main = {t["VpcId"]: t for t in tables if any(a.get("Main") for a in t.get("Associations", ()))}
    return [
        Subnet(
            each["SubnetId"],
            each["VpcId"],
            each["AvailabilityZoneId"],
            each["AvailableIpAddressCount"],
            _way_out(explicit.get(each["SubnetId"]) or main.get(each["VpcId"]) or {}),
        )
        for each in listed
    ]


def _way_out(table: Mapping[str, Any]) -> str:
    """Return where the table's default route leads: the value of whichever member names a gateway."""
    for route in table.get("Routes", ()):
        if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State") != "blackhole":
            kinds = ("GatewayId", "NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId")
            return next((str(route[kind]) for kind in kinds if route.get(kind)), "")
    return ""
