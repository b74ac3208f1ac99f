"""Every call of AWS's API in the source of `aws/`: module, function, service, operation."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import botocore.session
from botocore import xform_name

__all__ = ["AWS", "ApiCall", "api_calls", "operations"]

AWS = Path(__file__).parents[2] / "src" / "cromulent_wdl" / "aws"

_TRANSFERS = {
    "upload_file": (
        "PutObject",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
    ),
    "download_file": ("HeadObject", "GetObject"),
    "copy": (
        "HeadObject",
        "GetObject",
        "CopyObject",
        "CreateMultipartUpload",
        "UploadPartCopy",
        "AbortMultipartUpload",
    ),
}
"""What the methods call that boto3 adds to S3's client."""
_TRANSFERS |= {f"{verb}_fileobj": _TRANSFERS[f"{verb}_file"] for verb in ("upload", "download")}


@dataclass(frozen=True)
class ApiCall:
    """An operation that a function, or a method (`Class.method`), of a module of `aws/` may call."""

    module: str
    function: str
    service: str
    operation: str


@lru_cache
def api_calls() -> tuple[ApiCall, ...]:
    """Return all calls, in the order of modules."""
    return tuple(call for file in sorted(AWS.rglob("*.py")) for call in _of_module(file))


@lru_cache
def operations(service: str) -> dict[str, str]:
    """Return the operations of a service by the names of their methods, as boto3 has them."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def _of_module(file: Path) -> Iterator[ApiCall]:
    tree = ast.parse(file.read_text())
    services = sorted(_services(tree))
    module = ".".join(file.relative_to(AWS).with_suffix("").parts)
    for name, function in _functions(tree):
        for service, operation in sorted(_calls(function, services)):
            yield ApiCall(module, name, service, operation)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for top in tree.body:
        if isinstance(top, ast.FunctionDef):
            yield top.name, top
        elif isinstance(top, ast.ClassDef):
            yield from ((f"{top.name}.{each.name}", each) for each in top.body if isinstance(each, ast.FunctionDef))


def _services(tree: ast.Module) -> set[str]:
    """Return the services of which the module asks for clients, all by constants."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client":
            named = node.args[0] if node.args else None
            if isinstance(named, ast.Constant):
                found.add(str(named.value))
    return found


def _calls(tree: ast.AST, services: list[str]) -> set[tuple[str, str]]:
    """Return what may be called: whatever is called by the name of an operation, or named so of a client."""
    found = set()
    for method in _methods(tree):
        for service in services:
            if method in operations(service):
                found.add((service, operations(service)[method]))
            elif service == "s3":
                found |= {(service, operation) for operation in _TRANSFERS.get(method, ())}
    return found


def _methods(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Request":
            # What the AWS Common Runtime is asked for is named as S3 names it (aws/transfers/runtime.py).
            yield from (xform_name(str(arg.value)) for arg in node.args[:1] if isinstance(arg, ast.Constant))
        if isinstance(node, ast.Attribute) and "client" in ast.unparse(node.value).lower():
            yield node.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
            if node.func.attr in ("get_paginator", "get_waiter"):  # a waiter is named as its operation is
                yield from (str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))
