"""A deployment's life: one CloudFormation stack that is made, changed, looked at and taken away.

`template.yaml` is the stack, and the file to read first. What a user wishes becomes the template's parameters
(`wishes.py`), CloudFormation's change set becomes a plan in words (`plan.py`), which `applying.py` carries out and
`failure.py` explains where it fails. `removal.py` takes a deployment away, and proves it. All others learn what is
deployed from `aws/deployments.py`: a stack's outputs as one `Deployment`.
"""

from ..aws.deployments import find_deployment

__all__ = ["find_deployment"]
