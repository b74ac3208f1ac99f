"""Files up to a bucket and down: whole, in parts, from where they broke off, in no other state than they were in."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from cromulent_wdl.aws import objects
from cromulent_wdl.aws.access import Access
from cromulent_wdl.aws.transfers import Transfer, download, unfinished, upload
from cromulent_wdl.aws.transfers.sizes import SMALL
from cromulent_wdl.errors import AwsError, FileUnstable
from cromulent_wdl.model.file_state import FileState

from .cloud import Cloud
from .deployments import access_to

MEBIBYTE = 1 << 20
LARGE = SMALL + 8 * MEBIBYTE + 5
"""Bytes of a file that goes in four parts."""


@pytest.fixture
def access(cloud: Cloud) -> Access:
    return access_to(cloud)


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    name = f"transfers-{cloud.session.get_credentials().access_key}".lower()
    cloud.client("s3").create_bucket(Bucket=name)
    return name


def seen(path: Path, bucket: str, key: str) -> Transfer:
    return Transfer(path, bucket, key, state=FileState.of(path.stat()))


def put_requests(cloud: Cloud) -> int:
    """Return how many requests wrote something: whole files, parts, beginnings and ends."""
    with urllib.request.urlopen(f"{cloud.address}/_simulator/meters", timeout=30) as answer:
        return int(json.load(answer)["actions"].get("s3:PutObject", {"requests": 0})["requests"])


@pytest.mark.parametrize(
    "name", ["a b", "naïve-试.fq", "100%#?&+=.fq", "'quoted\"", "-", "~tilde", "a:b;c,d", "tab\tnew\nline", "%2e%2e"]
)
def test_any_name_goes_there_and_back(access: Access, bucket: str, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(name)
    upload(access, [Transfer(tmp_path / name, bucket, f"in/{name}")])
    (found,) = objects.listing(access, bucket, "in/")
    download(access, [Transfer(tmp_path / "back", bucket, found.key, found)])

    assert found.key == f"in/{name}"
    assert (tmp_path / "back").read_text() == name


def test_small_large_and_empty_ones_are_told_of_and_arrive(access: Access, bucket: str, tmp_path: Path) -> None:
    sizes = {"empty": 0, "small": 3, "edge": SMALL, "large": LARGE}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(os.urandom(size))
    up, down = list[int](), list[int]()
    upload(access, [Transfer(tmp_path / name, bucket, name) for name in sizes], up.append)
    (tmp_path / "back").mkdir()
    found = list(objects.listing(access, bucket, ""))
    download(access, [Transfer(tmp_path / "back" / each.key, bucket, each.key, each) for each in found], down.append)

    assert sum(up) == sum(down) == sum(sizes.values())
    assert {each.name: each.read_bytes() for each in (tmp_path / "back").iterdir()} == {
        name: (tmp_path / name).read_bytes() for name in sizes
    }


def test_an_upload_that_was_killed_goes_on_where_it_broke_off(
    cloud: Cloud, access: Access, bucket: str, tmp_path: Path
) -> None:
    file = tmp_path / "large"
    file.write_bytes(os.urandom(LARGE))
    keys = cloud.session.get_credentials().get_frozen_credentials()
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_ENDPOINT_URL": cloud.address,
        "AWS_REGION": "us-east-1",
    }
    code = (
        "import os, sys; from pathlib import Path; from cromulent_wdl.aws.access import Access;"
        "from cromulent_wdl.aws.transfers import Transfer, upload;"
        "upload(Access(), [Transfer(Path(sys.argv[1]), *sys.argv[2:])], lambda count: os.kill(os.getpid(), 9), {})"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(file), bucket, "k"], env=environment, timeout=60)
    begun = unfinished(access, [seen(file, bucket, "k")])
    there = begun["k"]
    before, told = put_requests(cloud), list[int]()
    upload(access, [seen(file, bucket, "k")], told.append, begun)

    assert killed.returncode == -9
    assert there.bytes >= 8 * MEBIBYTE
    assert put_requests(cloud) - before == 4 - len(there.parts) + 1  # the parts that lacked, and the end
    assert sum(told) == LARGE
    assert objects.get(access, bucket, "k") == file.read_bytes()
    assert unfinished(access, [seen(file, bucket, "k")]) == {}


def test_another_cut_is_not_gone_on_with(cloud: Cloud, access: Access, bucket: str, tmp_path: Path) -> None:
    s3 = cloud.client("s3")
    begun = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="k", UploadId=begun, PartNumber=1, Body=b"a" * 6 * MEBIBYTE)
    (tmp_path / "large").write_bytes(bytes(LARGE))

    assert unfinished(access, [seen(tmp_path / "large", bucket, "k")]) == {}


def test_who_completes_the_same_upload_first_has_done_it_for_all(access: Access, bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(os.urandom(LARGE))
    client = access.client("s3")
    begun = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    mine = unfinished(access, [seen(file, bucket, "k")])
    upload(access, [seen(file, bucket, "k")], None, mine)
    upload(access, [seen(file, bucket, "k")], None, mine)

    assert mine["k"].upload == begun
    assert objects.get(access, bucket, "k") == file.read_bytes()


@pytest.mark.parametrize("size", [3, LARGE])
def test_a_file_that_has_changed_since_it_was_looked_at_is_not_sent(
    access: Access, bucket: str, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(size))
    transfer = seen(file, bucket, "k")
    os.utime(file, ns=(1, 1))
    with pytest.raises(FileUnstable, match="changed while it was uploaded"):
        upload(access, [transfer])

    assert objects.find(access, bucket, "k") is None


def test_a_large_file_that_changes_on_its_way_is_not_there(access: Access, bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(LARGE))
    with pytest.raises(FileUnstable):
        upload(access, [seen(file, bucket, "k")], lambda count: os.utime(file, ns=(1, 1)))

    assert objects.find(access, bucket, "k") is None
    assert "Uploads" not in access.client("s3").list_multipart_uploads(Bucket=bucket)


def test_an_object_that_has_changed_since_it_was_listed_is_not_taken(
    access: Access, bucket: str, tmp_path: Path
) -> None:
    for size in (3, LARGE):
        (tmp_path / "file").write_bytes(bytes(size))
        upload(access, [Transfer(tmp_path / "file", bucket, "k")])
        found = objects.find(access, bucket, "k")
        (tmp_path / "file").write_bytes(b"1" * size)
        upload(access, [Transfer(tmp_path / "file", bucket, "k")])
        with pytest.raises(AwsError, match="changed while it was downloaded"):
            download(access, [Transfer(tmp_path / "back", bucket, "k", found)])

        assert sorted(each.name for each in tmp_path.iterdir()) == ["file"]


def test_what_cannot_be_written_is_the_systems_word(access: Access, bucket: str, tmp_path: Path) -> None:
    objects.put(access, bucket, "k", b"content")
    with pytest.raises(OSError, match="No such file or directory"):
        download(access, [Transfer(tmp_path / "absent" / "file", bucket, "k")])


def test_what_is_not_there_is_named(access: Access, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(AwsError, match=r"uploading s3://no-such-bucket-at-all/k.*NoSuchBucket"):
        upload(access, [Transfer(tmp_path / "file", "no-such-bucket-at-all", "k")])
    with pytest.raises(AwsError, match=f"there is nothing at s3://{bucket}/absent"):
        download(access, [Transfer(tmp_path / "back", bucket, "absent")])


def test_a_disk_that_is_full_is_named(access: Access, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(LARGE))
    upload(access, [Transfer(tmp_path / "file", bucket, "large")])
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEBIBYTE, limit[1]))  # as good as a disk with no more room
    try:
        with pytest.raises(OSError, match=f"File too large: '{tmp_path}/back'"):
            download(access, [Transfer(tmp_path / "back", bucket, "large")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
