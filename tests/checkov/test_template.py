"""What checkov has against the template, and why each of it stays."""

from __future__ import annotations

from pathlib import Path

import cromulent_wdl.provision

from . import failed_checks

TEMPLATE = Path(cromulent_wdl.provision.__file__).with_name("template.yaml")

WAIVERS = {
    (
        "CKV_AWS_18",
        "Results",
    ): "A log of accesses is another bucket, and every line of it is billed. Who needs one turns on "
    "CloudTrail's data events, or gives a bucket that has a log (--bucket).",
    ("CKV_AWS_19", "Results"): "The bucket is encrypted, by AES256 or your key; checkov does not follow the !If.",
    ("CKV_AWS_65", "Tasks"): "Container Insights are billed by metric; what tasks used is in the runs' records.",
}


def test_checkov_has_nothing_against_the_template_but_what_is_waived() -> None:
    assert failed_checks(TEMPLATE) == sorted(WAIVERS)
