"""Who comes to which function of `aws/`: a graph of what names what, read from the source.

What a function names it may call, so this finds too much rather than too little. A name leads to a function, class or
variable at the top of a module, through imports, wherever these stand. A method of a class that is reached is reached
when anything that is reached names it after a dot, whatever stands before the dot.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

__all__ = ["Node", "modules", "reached"]

SOURCE = Path(__file__).parents[2] / "src" / "cromulent_wdl"

Node = tuple[str, str]
"""A module, as `aws.buckets`, and a name at its top, or `Class.method`; an empty name is the module itself."""


@lru_cache
def reached(roots: tuple[str, ...], others: tuple[str, ...] = ()) -> frozenset[Node]:
    """Return all that is reached from modules, or packages, of these names, without going into `others`."""
    first = [module for module in modules() if _within(module, roots) and not _within(module, others)]
    ahead = [(module, name) for module in first for name in _tops(module)]
    seen: set[Node] = set()
    attributes: set[str] = set()
    while ahead:
        for node in ahead:
            seen.add(node)
            attributes |= _attributes().get(node, frozenset())
        further = {node for each in ahead for node in _edges().get(each, ())}
        further |= {node for node in _methods() if node[1].split(".")[1] in attributes and _owner(node) in seen}
        ahead = [node for node in further - seen if not _within(node[0], others)]
    return frozenset(seen)


def _within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@lru_cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax trees of the product's modules, the simulator's left out: it is not the product."""
    found = {}
    for file in SOURCE.rglob("*.py"):
        parts = file.relative_to(SOURCE).with_suffix("").parts
        if parts[0] != "simulator":
            found[".".join(part for part in parts if part != "__init__")] = ast.parse(file.read_text())
    return found


@lru_cache
def _tops(module: str) -> dict[str, list[ast.stmt]]:
    """Return the statements at the top of a module by the names that they bind; those that bind none under ''."""
    found: dict[str, list[ast.stmt]] = {}
    for statement in modules()[module].body:
        for name in _bound(statement) or [""]:
            found.setdefault(name, []).append(statement)
        if isinstance(statement, ast.ClassDef):
            for method in _functions(statement):
                found[f"{statement.name}.{method.name}"] = [method]
    return found


def _functions(statement: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [each for each in statement.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


@lru_cache
def _methods() -> frozenset[Node]:
    return frozenset((module, name) for module in modules() for name in _tops(module) if "." in name)


def _owner(method: Node) -> Node:
    return method[0], method[1].split(".")[0]


@lru_cache
def _attributes() -> dict[Node, frozenset[str]]:
    """Return what each node names after a dot; what Python calls by itself is always named."""
    return {
        (module, name): frozenset(attribute for each in statements for attribute in _attributes_of(each))
        for module in modules()
        for name, statements in _tops(module).items()
    }


def _attributes_of(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.ClassDef):
        yield from (each.name for each in _functions(statement) if each.name.startswith("__"))
    for part in _parts(statement):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Load):
            yield part.attr


def _parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield a statement's parts; of a class without its methods, which are nodes of their own."""
    if not isinstance(statement, ast.ClassDef):
        yield from ast.walk(statement)
        return
    for each in [*statement.bases, *statement.decorator_list, *statement.body]:
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ast.walk(each)


def _bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return [
            node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
    return []


@lru_cache
def _edges() -> dict[Node, list[Node]]:
    edges: dict[Node, list[Node]] = {}
    for module in modules():
        imports = _imports(module)
        for name, statements in _tops(module).items():
            edges[module, name] = [node for each in statements for node in _named(module, each, imports)]
    return edges


@lru_cache
def _imports(module: str) -> dict[str, Node]:
    """Return what names stand for by the module's imports, wherever they are."""
    found: dict[str, Node] = {}
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = _base(module, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}".strip(".")
                found[alias.asname or alias.name] = (inner, "") if inner in modules() else (base, alias.name)
    return found


def _base(module: str, node: ast.ImportFrom) -> str:
    package = module.split(".") if _is_package(module) else module.split(".")[:-1]
    kept = package[: len(package) - node.level + 1]
    return ".".join([*kept, *((node.module or "").split(".") if node.module else [])])


def _is_package(module: str) -> bool:
    return (SOURCE / Path(*module.split("."))).is_dir() if module else True


def _named(module: str, statement: ast.stmt, imports: dict[str, Node]) -> Iterator[Node]:
    for node in _parts(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imports:
            owner, within = imports[node.value.id]
            if not within:
                yield from _resolved(owner, node.attr)
        if isinstance(node, ast.Name):
            if node.id in imports:
                yield from _resolved(*imports[node.id])
            elif node.id in _tops(module):
                yield module, node.id


def _resolved(module: str, name: str, depth: int = 5) -> Iterator[Node]:
    """Yield where a name of a module leads, through re-exports."""
    if module not in modules() or not name or not depth:
        return
    if name in _tops(module):
        yield module, name
    elif name in _imports(module):
        yield from _resolved(*_imports(module)[name], depth - 1)
