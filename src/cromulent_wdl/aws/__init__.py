"""AWS, as this project speaks it: the only package that imports boto3.

`access.py` opens clients by boto3's own chain of credentials, profile, region and endpoint; every refusal
of AWS passes through its `asking` and comes out as one of the errors of `errors.py`. Beside it stands one
module a service, each a few verbs in our words; what AWS answers in JSON becomes our values in `decode`
modules, which make no call.
"""
