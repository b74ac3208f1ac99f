"""Which calls of AWS's API the code makes, who makes them, and what IAM has to allow for that: one inventory.

`api_calls.py` finds the calls in `aws/`, the only package that can make them; `reach.py` finds who comes to them;
`actions.py` says what IAM calls them; `needs.py` puts it together with what others call on our behalf. Print it with
`python -m tests.permissions`.
"""
