"""`gc` and what was uploaded: what goes, what stays, and that a submission meanwhile loses nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from cromulent_wdl.aws import executions, objects
from cromulent_wdl.aws.access import Access
from cromulent_wdl.aws.buckets import delete_versions, versions
from cromulent_wdl.clock import SYSTEM
from cromulent_wdl.errors import InputsError
from cromulent_wdl.model.deployment import Deployment
from cromulent_wdl.runs import removals, uploads
from cromulent_wdl.storage.bucket import RunKeys, content_at, environment_key, input_key, named_in
from cromulent_wdl.submit import bundle as bundles
from cromulent_wdl.submit import claims
from tests.fakes.clocks import FakeClock

from .cloud import Cloud, until
from .deployments import access_to, deploy

DAY = 86_400.0
OVER, KEPT = "20261126_180000_align-abcdef1234", "20261126_180000_align-abcdef5678"
A, B, C = (letter * 32 for letter in "abc")


def later(seconds: float) -> FakeClock:
    """Return a clock that is so much ahead of the machine's."""
    return FakeClock(SYSTEM.now() + seconds)


@dataclass(frozen=True)
class Place:
    """A deployment, and what is put into its bucket."""

    access: Access
    deployment: Deployment

    def put(self, key: str) -> str:
        objects.put(self.access, self.deployment.bucket, key, b"content")
        return key

    def bundle(self, environment: str, *digests: str) -> str:
        inputs = {"w.files": [f"s3://{self.deployment.bucket}/{input_key(each, 'a.fq')}" for each in digests]}
        made = bundles.Bundle(name="w", environment=environment, inputs=inputs)
        return bundles.write(self.access, self.deployment.bucket, made, b"source")

    def request(self, run: str, bundle: str, **more: object) -> None:
        text = json.dumps({"version": 1, "bundle": bundle, **more}).encode()
        objects.put(self.access, self.deployment.bucket, RunKeys(run).request, text)

    def unused(self, *gone: str, age: float = 0.0, days: float = 2.0) -> uploads.Unused:
        clock = later(days * DAY)
        return uploads.unused(self.access, self.deployment, gone, clock.now() - age, clock)

    @property
    def keys(self) -> set[str]:
        return {each.key for each in objects.listing(self.access, self.deployment.bucket, "")}


@pytest.fixture
def place(cloud: Cloud) -> Place:
    return Place(access_to(cloud), deploy(cloud))


def contents(found: uploads.Unused) -> set[str]:
    return {content for content, _ in found.contents}


def test_what_only_runs_that_go_have_named_goes_and_nothing_else(place: Place) -> None:
    shared, own, forgotten = (place.put(input_key(digest, "a.fq")) for digest in (A, B, C))
    old, new = place.put(environment_key(B)), place.put(environment_key(A))
    kept, gone = place.bundle(A, A), place.bundle(B, A, B)
    place.request(KEPT, kept)
    place.request(OVER, gone)
    assert place.bundle(B, A, B) == gone and place.put(own)  # again: other versions of the same

    found = place.unused(OVER)
    assert contents(found) == {content_at(each) for each in (own, forgotten, old, f"bundles/{gone}/source.zip")}
    assert found.count("inputs/") == 2 and found.bytes > 3 * len(b"content")
    uploads.remove(place.access, place.deployment, found, [OVER], later(2 * DAY))
    assert place.keys == {shared, new, *(f"bundles/{kept}/{name}" for name in ("bundle.json", "source.zip")),
                          RunKeys(KEPT).request, RunKeys(OVER).request}  # fmt: skip
    assert not place.unused(OVER).contents


def test_what_is_young_or_was_claimed_lately_stays(place: Place) -> None:
    place.put(input_key(A, "a.fq"))
    assert not place.unused(days=0.9).contents
    assert not place.unused(days=9, age=10 * DAY).contents
    assert contents(place.unused(days=1.1)) == {f"inputs/blake2b/{A}"}


def test_what_a_request_lays_over_its_bundle_stays(place: Place) -> None:
    place.put(input_key(A, "a.fq"))
    place.request(KEPT, "none", inputs={"w.file": f"s3://{place.deployment.bucket}/{input_key(A, 'a.fq')}"})
    assert not place.unused().contents


def test_while_a_run_begins_nothing_goes(place: Place, cloud: Cloud) -> None:
    place.put(input_key(A, "a.fq"))
    given = json.dumps({"version": 1, "bundle": "b", "headCpu": "1", "headMemory": "1"})
    machine = place.deployment.state_machine
    cloud.client("stepfunctions").start_execution(stateMachineArn=machine, name="begins", input=given)
    request = RunKeys("begins").request
    until(lambda: objects.find(place.access, place.deployment.bucket, request))
    objects.delete(place.access, place.deployment.bucket, [request])
    begun = executions.find(place.access, machine, "begins")
    assert begun is not None and begun.goes_on
    assert not place.unused().contents


@pytest.mark.parametrize("first", ["claim", "removal"])
def test_a_submission_during_a_removal_has_its_inputs(place: Place, first: str) -> None:
    key = place.put(input_key(A, "a.fq"))
    found = place.unused()
    assert contents(found) == {content_at(key)}
    bucket = place.deployment.bucket
    if first == "claim":
        place.bundle(A, A)  # after the plan was shown, and before it is carried out
        uploads.remove(place.access, place.deployment, found, [])
        assert key in place.keys
    else:
        removals.announce(place.access, bucket, sorted(contents(found)), SYSTEM.now())
        place.bundle(A, A)
        assert claims.going(place.access, bucket) == {content_at(key)}
        place.put(key)  # as it is taken for gone
        _versions_go(place, found)
        assert key in place.keys


def _versions_go(place: Place, found: uploads.Unused) -> None:
    delete_versions(place.access, place.deployment.bucket, [each for _, held in found.contents for each in held])


def test_what_is_being_removed_is_not_relied_on(place: Place) -> None:
    bucket, key = place.deployment.bucket, place.put(input_key(A, "a.fq"))
    there, elsewhere = f"s3://{bucket}/{key}", f"s3://others-{bucket}/{key}"
    claims.check_kept(place.access, bucket, there, ())
    claims.check_kept(place.access, bucket, elsewhere, named_in(elsewhere))
    claims.check_kept(place.access, bucket, there, named_in(there), own=[content_at(key)])
    with pytest.raises(InputsError, match="was removed by `cromulent gc`"):
        claims.check_kept(place.access, bucket, there, named_in(there))
    objects.delete(place.access, bucket, [key])
    with pytest.raises(InputsError, match="was removed by `cromulent gc`"):
        claims.check_kept(place.access, bucket, there, ())


def test_what_a_killed_removal_has_said_is_forgotten_after_a_day(place: Place) -> None:
    bucket = place.deployment.bucket
    removals.announce(place.access, bucket, [f"inputs/blake2b/{A}"], SYSTEM.now())
    assert claims.going(place.access, bucket) and not claims.going(place.access, bucket, later(1.1 * DAY))
    place.put(input_key(B, "a.fq"))
    uploads.remove(place.access, place.deployment, place.unused(), [], later(2 * DAY))
    assert place.keys == set()


def test_a_bucket_without_versions_is_left_as_it_is(place: Place, cloud: Cloud) -> None:
    name = f"plain-{place.deployment.bucket}"[:63]
    cloud.client("s3").create_bucket(Bucket=name)
    objects.put(place.access, name, input_key(A, "a.fq"), b"content")
    assert list(versions(place.access, name, "inputs/")) == []
