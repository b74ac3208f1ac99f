"""Files up to S3 and down, side by side, for little more than it costs to move their bytes.

A file is small or large (`sizes.py`). Small ones are one request each, made by the AWS Common Runtime in C
(`runtime.py`): botocore takes a millisecond of Python to make a request, and there may be thousands. A large one goes
up in parts by the same runtime (`uploads.py`), and comes down in ranges by boto3, which has nothing to do there but to
copy (`downloads.py`). What an upload that was broken off has left in S3 is found again by `broken_off.py`.
Read `uploads.py` first; docs/adr/0026-transfers.md has the figures.
"""

from .broken_off import unfinished
from .downloads import download
from .transfer import Transfer
from .uploads import upload

__all__ = ["Transfer", "download", "unfinished", "upload"]
