"""A change set in words: what would be made, changed, replaced and taken away. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..aws.cloudformation import Change
from ..pricing.card import Rates
from .surroundings import Kept

__all__ = ["DATA", "Plan", "counted", "kind_in_words", "named"]

DATA = {"AWS::EFS::FileSystem", "AWS::S3::Bucket"}
"""What holds data of the user, and is never replaced."""

_LISTED = 6
"""So many changes in place have a line each."""

_WORDS = {
    "AWS::EC2::VPC": "network (VPC)",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::InternetGateway": "internet gateway",
    "AWS::EC2::VPCGatewayAttachment": "gateway attachment",
    "AWS::EC2::RouteTable": "route table",
    "AWS::EC2::Route": "route",
    "AWS::EC2::SubnetRouteTableAssociation": "route table association",
    "AWS::EC2::VPCEndpoint": "gateway endpoint for S3",
    "AWS::EC2::SecurityGroup": "security group",
    "AWS::EC2::SecurityGroupIngress": "inbound rule (NFS from the tasks)",
    "AWS::EFS::FileSystem": "file system (EFS)",
    "AWS::EFS::MountTarget": "mount target",
    "AWS::EFS::AccessPoint": "access point",
    "AWS::S3::Bucket": "bucket",
    "AWS::S3::BucketPolicy": "bucket policy",
    "AWS::ECS::Cluster": "cluster (ECS)",
    "AWS::ECS::ClusterCapacityProviderAssociations": "capacity (Fargate and Fargate Spot)",
    "AWS::ECS::TaskDefinition": "head definition",
    "AWS::Logs::LogGroup": "log group",
    "AWS::IAM::Role": "role",
    "AWS::StepFunctions::StateMachine": "state machine",
    "AWS::Events::Rule": "event rule",
}


def kind_in_words(kind: str) -> str:
    """Return what a resource type is called in front of people."""
    return _WORDS.get(kind, kind)


def named(logical: str, kind: str) -> str:
    """Return what a resource is called in front of people: `Network (network, VPC)`."""
    return f"{logical} ({kind_in_words(kind).replace(' (', ', ').rstrip(')')})"


@dataclass(frozen=True)
class Plan:
    """What carrying out a change set would do to a deployment."""

    name: str
    region: str
    account: str
    new: bool
    changes: tuple[Change, ...]
    kept: Kept
    """Storage that is taken back."""
    change_set: str = ""
    """The ARN of the change set; nothing where there is nothing to do."""
    stack: str = ""
    unheeded: tuple[str, ...] = ()
    """Options that were given in vain: they are about roles, which are the user's."""
    opened: str = ""
    """The security group of the user's that will let in NFS from the tasks."""

    @property
    def replaced_data(self) -> tuple[Change, ...]:
        """Changes that would put an empty bucket or file system in the place of one with data."""
        return tuple(each for each in self.changes if each.kind in DATA and each.replacement == "True")

    def in_words(self, rates: Rates) -> list[str]:
        """Return the plan a line each, without the question; `rates` are its region's."""
        lines = [*self._made(), *self._others()]
        if self.opened and self.new:
            lines.append(f"open       {self.opened}, the mount targets' security group, to NFS from the tasks")
        if self.kept.bucket or self.kept.file_system:
            found = " and ".join(filter(None, (self.kept.bucket, self.kept.file_system)))
            lines.append(f"take back  {found}, kept from before with all data")
        if not self.changes and self.change_set:
            lines.append("change     the version that is noted, and nothing else")
        files, bucket = rates["files_gb_month"], rates["bucket_gb_month"]
        stored = f"about ${files:.2f} a GB-month, ${bucket:.3f} in the bucket"
        return [*lines, f"idle cost  $0.00, and storage: {stored}"]

    def _made(self) -> list[str]:
        made = [each for each in self.changes if each.action == "Add"]
        if not made:
            return []
        listed = ", ".join(counted(each.kind for each in made))
        return [f"make       {len(made)} resources, none with an hourly price: {listed}"]

    def _others(self) -> list[str]:
        in_place = [each for each in self.changes if each.action == "Modify" and each.replacement in ("", "False")]
        others = [each for each in self.changes if each.action != "Add" and each not in in_place]
        lines = [_other(each) for each in others]
        if len(in_place) > _LISTED:
            return [
                *lines,
                f"change     {len(in_place)} resources, in place: {', '.join(counted(each.kind for each in in_place))}",
            ]
        return lines + [f"change     {_named(each)}, in place" for each in in_place]


def _other(change: Change) -> str:
    """Return the line of what is taken away or replaced."""
    if change.action == "Remove":
        return f"let go of  {_named(change)}, which is kept" if change.kept else f"remove     {_named(change)}"
    return f"replace    {_named(change)}" + (", perhaps" if change.replacement == "Conditional" else "")


def _named(change: Change) -> str:
    return named(change.logical, change.kind)


def counted(kinds: Iterable[str]) -> list[str]:
    """Return kinds with their numbers, in the order in which they are in the table of words."""
    counts = Counter(kinds)
    order = {kind: number for number, kind in enumerate(_WORDS)}
    ordered = sorted(counts, key=lambda kind: order.get(kind, len(order)))
    return [kind_in_words(kind) if counts[kind] == 1 else f"{counts[kind]} {_plural(kind)}" for kind in ordered]


def _plural(kind: str) -> str:
    word, _, rest = kind_in_words(kind).partition(" (")
    return word + "s" + (f" ({rest}" if rest else "")
