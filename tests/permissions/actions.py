"""What IAM calls an operation of the API. Most have the same name; botocore knows the services' prefixes."""

from __future__ import annotations

from functools import lru_cache

import botocore.session

__all__ = ["actions_of"]

_PREFIXES = {"tagging": "tag"}
"""IAM's prefix where it is not the name by which requests are signed."""

_NONE: frozenset[tuple[str, str]] = frozenset({("sts", "GetCallerIdentity")})
"""What needs no permission (API reference, GetCallerIdentity)."""

_OTHERWISE = {
    # "Required permissions for Amazon S3 API operations" in the S3 user guide
    ("s3", "AbortMultipartUpload"): ("AbortMultipartUpload",),
    ("s3", "CompleteMultipartUpload"): ("PutObject",),
    ("s3", "CopyObject"): ("GetObject", "PutObject"),
    ("s3", "CreateMultipartUpload"): ("PutObject",),
    ("s3", "DeleteObjects"): ("DeleteObject", "DeleteObjectVersion"),
    ("s3", "GetBucketEncryption"): ("GetEncryptionConfiguration",),
    ("s3", "GetBucketLifecycleConfiguration"): ("GetLifecycleConfiguration",),
    ("s3", "GetPublicAccessBlock"): ("GetBucketPublicAccessBlock",),
    ("s3", "HeadBucket"): ("ListBucket",),
    ("s3", "HeadObject"): ("GetObject",),
    ("s3", "ListMultipartUploads"): ("ListBucketMultipartUploads",),
    ("s3", "ListParts"): ("ListMultipartUploadParts",),
    ("s3", "ListObjectVersions"): ("ListBucketVersions",),
    ("s3", "ListObjectsV2"): ("ListBucket",),
    ("s3", "UploadPart"): ("PutObject",),
    ("s3", "UploadPartCopy"): ("GetObject", "PutObject"),
}


@lru_cache
def actions_of(service: str, operation: str) -> frozenset[str]:
    """Return the IAM actions that an operation needs on what it names itself."""
    signed = botocore.session.get_session().get_service_model(service).signing_name
    prefix = _PREFIXES.get(signed, signed)
    if (service, operation) in _NONE:
        return frozenset()
    return frozenset(f"{prefix}:{name}" for name in _OTHERWISE.get((service, operation), (operation,)))
