"""S3's repairs: properties of buckets that ministack's CloudFormation drops, and buckets that must be empty to go."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from . import base, cloudformation
from .cloudformation import Properties

__all__ = ["repair"]

_TYPE = "AWS::S3::Bucket"


def repair() -> None:
    """Let stacks tag buckets, keep their lifecycle and encryption, and refuse to delete what is not empty."""
    provisioners = base.module("services.cloudformation.provisioners")
    provisioners._STACK_TAG_PROPERTY[_TYPE] = ("Tags", "list")
    for operation in ("create", "update"):
        cloudformation.after(_TYPE, operation, _keep)
    provisioners._RESOURCE_HANDLERS[_TYPE]["delete"] = _delete


def _keep(bucket: str, properties: Properties) -> dict[str, Any]:
    s3 = base.module("services.s3")
    s3._bucket_tags[bucket] = {each["Key"]: str(each["Value"]) for each in properties.get("Tags") or ()}
    rules = (properties.get("LifecycleConfiguration") or {}).get("Rules")
    if rules:
        configuration = {"Rules": [_lifecycle_rule(each) for each in rules]}
        _put(s3._put_bucket_lifecycle, bucket, "PutBucketLifecycleConfiguration", configuration)
    else:
        s3._delete_bucket_lifecycle(bucket)
    encryption = (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration")
    if encryption:
        configuration = {"Rules": [_encryption_rule(each) for each in encryption]}
        _put(s3._put_bucket_encryption, bucket, "PutBucketEncryption", configuration)
    return {}


def _delete(bucket: str, properties: Properties) -> None:
    s3 = base.module("services.s3")
    status, _, body = s3._delete_bucket(bucket)
    if status == 409:
        raise ValueError("The bucket you tried to delete is not empty (Service: S3, Status Code: 409)")
    if status >= 300 and status != 404:
        raise ValueError(body.decode())


def _put(put: Any, bucket: str, operation: str, configuration: Mapping[str, Any]) -> None:
    """Put a configuration in the XML that botocore writes. Raises ValueError with S3's words."""
    import botocore.serialize

    model = _s3_model().operation_model(operation)
    parameter = next(name for name in model.input_shape.members if name.endswith("Configuration"))
    request = botocore.serialize.create_serializer("rest-xml", False).serialize_to_request(
        {"Bucket": bucket, parameter: configuration}, model
    )
    status, _, body = put(bucket, request["body"])
    if status >= 300:
        raise ValueError(body.decode() if isinstance(body, bytes) else str(body))


@lru_cache
def _s3_model() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("s3")


def _encryption_rule(rule: Properties) -> dict[str, Any]:
    api = {name: value for name, value in rule.items() if name != "ServerSideEncryptionByDefault"}
    return {**api, "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault") or {}}


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """Return a template's rule as S3's API has it."""
    api: dict[str, Any] = {"Status": rule["Status"], "Filter": _filter(rule)}
    if "Id" in rule:
        api["ID"] = rule["Id"]
    for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if name in rule:
            api[name] = {key: int(value) for key, value in rule[name].items()}
    expiration = {
        "Days": _number(rule.get("ExpirationInDays")),
        "Date": rule.get("ExpirationDate"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    if expiration := {name: value for name, value in expiration.items() if value is not None}:
        api["Expiration"] = expiration
    if rule.get("Transitions"):
        api["Transitions"] = [_transition(each) for each in rule["Transitions"]]
    return api


def _filter(rule: Properties) -> dict[str, Any]:
    tags = [{"Key": each["Key"], "Value": each["Value"]} for each in rule.get("TagFilters") or ()]
    prefix = rule.get("Prefix", "")
    if not tags:
        return {"Prefix": prefix}
    return {"Tag": tags[0]} if len(tags) == 1 and not prefix else {"And": {"Prefix": prefix, "Tags": tags}}


def _transition(transition: Properties) -> dict[str, Any]:
    when = {"Days": _number(transition.get("TransitionInDays")), "Date": transition.get("TransitionDate")}
    return {
        **{name: value for name, value in when.items() if value is not None},
        "StorageClass": transition["StorageClass"],
    }


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
