"""From a workflow on this machine to a run in the cloud.

`bundle.py` is what crosses: the WDL as a zip and its inputs as JSON, named by a digest. `inputs.py` finds the files
among the inputs and says what becomes of each: local ones are uploaded by content, those in S3 stay where they
are. `environment.py` puts together what a head needs beside Python. `launch.py` starts an execution of the
deployment's state machine, whose input is a contract (docs/reference/cloud-runs.md). The head then runs
`cli/head.py`.
"""
