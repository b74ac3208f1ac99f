"""What is encrypted with a key of one's own is of use only to those who may use the key, where IAM is enforced.

Objects: who puts them needs kms:GenerateDataKey, who gets them kms:Decrypt, through S3 (page "Using server-side
encryption with AWS KMS keys"). Which key that is goes by the bucket's default; a request that names another is not told
apart. Secrets are in `secrets.py`. That a key's own policy leaves it to IAM is taken for granted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..ecs import ApiError, Place
from . import base
from .authorization import Judge
from .stack_callers import caller

__all__ = ["Keys"]

_KEY = re.compile(r"<KMSMasterKeyID>\s*([^<\s]+)\s*</KMSMasterKeyID>")
_CALLS = {"_put_object": "kms:GenerateDataKey", "_get_object": "kms:Decrypt"}


class Keys:
    """Judges who puts and gets objects."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._responses = base.module("core.responses")

    def repair(self) -> None:
        """Look at the key before an object is put or got."""
        s3 = base.module("services.s3")
        for function, action in _CALLS.items():
            base.wrap(s3, function, self._judged(s3, action))

    def _judged(self, s3: Any, action: str) -> Callable[..., Any]:
        def judged(original: Callable[..., Any], bucket: str, key: str, *rest: Any, **more: Any) -> Any:
            found = _KEY.search(str(s3._bucket_encryption.get(bucket) or ""))
            place = Place(self._responses.get_account_id(), self._responses.get_region())
            through = {"kms:ViaService": f"s3.{place.region}.amazonaws.com"}
            try:
                if found is not None and caller():
                    self._judge.check(caller(), action, found[1], place, through)
            except ApiError as refused:
                return s3._error("AccessDenied", refused.message, 403, f"/{bucket}/{key}")
            return original(bucket, key, *rest, **more)

        return judged
