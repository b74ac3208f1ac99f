"""Sends the files of a directory to a bucket, or fetches them, by the product itself: up or down, directory, bucket."""

from __future__ import annotations

import sys
from pathlib import Path

from cromulent_wdl.aws import objects
from cromulent_wdl.aws.access import Access
from cromulent_wdl.aws.transfers import Transfer, download, upload


def main() -> None:
    """Move the files."""
    way, directory, bucket = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    access = Access()
    if way == "up":
        upload(access, [Transfer(file, bucket, file.name) for file in sorted(directory.iterdir())])
    else:
        directory.mkdir()
        found = objects.listing(access, bucket, "")
        download(access, [Transfer(directory / each.key, bucket, each.key, each) for each in found])
    print("moved")


if __name__ == "__main__":
    main()
