"""S3 as cloud runs use it: parts, ranges, conditions, URLs that are signed beforehand."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from cromulent_wdl.aws import objects
from cromulent_wdl.aws.transfers import Transfer, download

from .cloud import Cloud, Stack
from .deployments import access_to

PART = 5 * 2**20


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    name = f"objects-{cloud.session.get_credentials().access_key}"
    cloud.client("s3").create_bucket(Bucket=name)
    return name


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def in_parts(cloud: Cloud, bucket: str, key: str, parts: Sequence[bytes], **condition: Any) -> None:
    s3 = cloud.client("s3")
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    sent = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=part)["ETag"],
        }
        for number, part in enumerate(parts, 1)
    ]
    s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": sent}, **condition)


def test_an_object_comes_in_parts_and_goes_in_ranges(cloud: Cloud, bucket: str) -> None:
    in_parts(cloud, bucket, "big", [b"a" * PART, b"bcd"])
    s3 = cloud.client("s3")
    across = s3.get_object(Bucket=bucket, Key="big", Range=f"bytes={PART - 1}-{PART + 1}")

    assert across["Body"].read() == b"abc"
    assert across["ContentRange"] == f"bytes {PART - 1}-{PART + 1}/{PART + 3}"
    assert s3.get_object(Bucket=bucket, Key="big", Range="bytes=-2")["Body"].read() == b"cd"
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key="big", Range=f"bytes={PART * 2}-")
    assert code_of(refused) == "InvalidRange"


def test_a_part_that_is_not_the_last_has_five_mebibytes(cloud: Cloud, bucket: str) -> None:
    with pytest.raises(ClientError) as refused:
        in_parts(cloud, bucket, "small", [b"a", b"b"])

    assert code_of(refused) == "EntityTooSmall"
    in_parts(cloud, bucket, "small", [b"a"])


def test_an_object_is_written_only_where_there_is_none(cloud: Cloud, bucket: str) -> None:
    s3 = cloud.client("s3")
    etag = s3.put_object(Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*")["ETag"]
    for again in (
        lambda: s3.put_object(Bucket=bucket, Key="once", Body=b"2", IfNoneMatch="*"),
        lambda: s3.put_object(Bucket=bucket, Key="once", Body=b"2", IfMatch='"0123"'),
        lambda: in_parts(cloud, bucket, "once", [b"2"], IfNoneMatch="*"),
    ):
        with pytest.raises(ClientError) as refused:
            again()
        assert code_of(refused) == "PreconditionFailed"
    s3.put_object(Bucket=bucket, Key="once", Body=b"3", IfMatch=etag)

    assert s3.get_object(Bucket=bucket, Key="once")["Body"].read() == b"3"


def test_the_sdk_transfers_large_objects(cloud: Cloud, bucket: str) -> None:
    content = bytes(range(256)) * 2**16  # 16 MiB, so in parts
    s3, back = cloud.client("s3"), io.BytesIO()
    s3.upload_fileobj(io.BytesIO(content), bucket, "large")
    s3.download_fileobj(bucket, "large", back)

    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-2"')
    assert back.getvalue() == content


def fetch(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_a_url_that_is_signed_opens_one_object_for_one_verb(root: Cloud, strict_stack: Stack) -> None:
    bucket, s3 = strict_stack["Bucket"], root.client("s3")
    signing = root.session.client("s3", endpoint_url=root.address, config=Config(signature_version="s3v4"))
    try:
        put = signing.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a"}, ExpiresIn=60)
        get = signing.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a"}, ExpiresIn=60)
    finally:
        signing.close()
    past = AWSRequest("GET", f"{root.address}/{bucket}/a")
    S3SigV4QueryAuth(root.session.get_credentials(), "s3", "us-east-1", expires=0).add_auth(past)

    assert fetch(put, "PUT", b"0123456789")[0] == 200
    assert fetch(get) == (200, b"0123456789")
    assert fetch(get, Range="bytes=2-4") == (206, b"234")
    assert b"SignatureDoesNotMatch" in fetch(get.replace("/a?", "/b?"))[1]
    assert fetch(get, "PUT", b"x")[0] == 403
    assert fetch(str(past.url))[0] in (400, 403)
    assert fetch(f"{root.address}/{bucket}/a")[0] == 403
    for each in s3.list_object_versions(Bucket=bucket)["Versions"]:
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def test_what_was_listed_is_downloaded_without_another_question(cloud: Cloud, bucket: str, tmp_path: Path) -> None:
    access = access_to(cloud)
    for name, content in (("some", b"content"), ("none", b"")):
        objects.put(access, bucket, f"in/{name}", content)
    found = list(objects.listing(access, bucket, "in/"))
    before = looks(cloud)
    download(access, [Transfer(tmp_path / Path(each.key).name, bucket, each.key, each) for each in found])
    assert looks(cloud) - before == 1  # of nothing there is nothing to be read
    assert (tmp_path / "some").read_bytes() == b"content"
    assert (tmp_path / "none").read_bytes() == b""


def looks(cloud: Cloud) -> int:
    """Return how many objects the simulator was asked for; a look at one counts as reading it, as for IAM."""
    with urllib.request.urlopen(f"{cloud.address}/_simulator/meters", timeout=60) as answer:
        return int(json.load(answer)["actions"].get("s3:GetObject", {"requests": 0})["requests"])
