import pytest
from WDL import Expr, Lint, Tree, parse_document

from cromulent_wdl.plugin import portability
from cromulent_wdl.plugin.constants import constant


def _document(source: str) -> Tree.Document:
    document = parse_document(f"version 1.2\n{source}")
    document.typecheck()
    return document


def _lint(source: str) -> dict[str, list[str]]:
    """Return what our linters have to say of the source, by their names; `*` marks what a comment suppresses."""
    document = Lint.lint(_document(source))
    portability.install()
    document = Lint.lint(_document(source))
    found: dict[str, list[str]] = {}
    for pos, name, message, suppressed in sorted(Lint.collect(document), key=lambda each: each[0]):
        if name in {linter.__name__ for linter in portability.LINTERS}:
            found.setdefault(name, []).append(f"{pos.line}:{pos.column} {message}{'*' * suppressed}")
    return found


def _task(runtime: str = 'container: "a:1"', inputs: str = "", command: str = "true") -> str:
    return f"task t {{\ninput {{ {inputs} }}\ncommand <<<\n{command}\n>>>\nrequirements {{\n{runtime}\n}}\n}}"


def _warned(source: str, name: str) -> bool:
    return name in _lint(source)


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("ubuntu", False),
        ("ubuntu:latest", False),
        ("lab/tool", False),
        ("localhost:5000/tool", False),
        ("localhost:5000/tool:latest", False),
        ("ubuntu:22.04", True),
        ("localhost:5000/lab/tool:1", True),
        ("ubuntu@sha256:0123", True),
        ("ubuntu:latest@sha256:0123", True),
        ("", True),
    ],
)
def test_an_image_is_pinned_by_a_tag_or_a_digest(image: str, pinned: bool) -> None:
    assert _warned(_task(f'container: "{image}"'), "UnpinnedImage") is not pinned


def test_an_unpinned_image_is_found_where_it_is_written_and_told_what_to_write() -> None:
    said = _lint(_task('container: ["a:1", "lab/b:latest", "c"]'))["UnpinnedImage"]
    assert said == [
        "8:12 image lab/b:latest is tagged latest, so it changes with time; write lab/b:VERSION or lab/b@sha256:DIGEST",
        "8:12 image c has no tag, so it changes with time; write c:VERSION or c@sha256:DIGEST",
    ]


@pytest.mark.parametrize(
    ("inputs", "expression", "warned"),
    [
        ('String image = "ubuntu"', "image", True),
        ('String image = "ubuntu:1"', "image", False),
        ('String tag = "latest"', '"ubuntu:~{tag}"', True),
        ('String tag = "latest"', '"ubuntu:" + tag', True),
        ("Int tag = 22", '"ubuntu:~{tag}"', False),
        ("String image", "image", False),
        ("String tag", '"ubuntu:~{tag}"', False),
    ],
)
def test_an_image_by_default_is_an_image(inputs: str, expression: str, warned: bool) -> None:
    assert _warned(_task(f"container: {expression}", inputs), "UnpinnedImage") is warned


@pytest.mark.parametrize(
    ("runtime", "warned"), [("cpu: 1", True), ('docker: "a:1"', False), ('container: "a:1"', False)]
)
def test_a_task_that_names_no_image_is_told_of(runtime: str, warned: bool) -> None:
    assert _warned(_task(runtime), "MissingImage") is warned


@pytest.mark.parametrize(
    ("inputs", "memory", "warned"),
    [
        ("", "4", True),
        ("", '"4"', True),
        ("", '"4.5"', True),
        ("", '"4 GB"', False),
        ("", '"4GiB"', False),
        ("Int ram = 4", "ram", True),
        ("Int ram", "ram", True),
        ("Int ram", "ram * 2", True),
        ("Int ram", '"~{ram}"', True),
        ("Int ram", '"~{ram} GB"', False),
        ("Int ram", '"~{ram * 2}G"', False),
        ("Int ram = 4", '"~{ram}"', True),
        ("String ram", "ram", False),
        ("String ram", '"~{ram}"', False),
        ('String ram = "4 GB"', '"~{ram}"', False),
        ('String ram = "4"', "ram", True),
    ],
)
def test_memory_wants_a_unit(inputs: str, memory: str, warned: bool) -> None:
    assert _warned(_task(f'container: "a:1"\nmemory: {memory}', inputs), "MemoryWithoutUnit") is warned


@pytest.mark.parametrize(
    ("runtime", "warned"),
    [
        ("cpu: 16", False),
        ("cpu: 17", True),
        ("cpu: 8 * 4", True),
        ('cpu: "32"', True),
        ('cpu: "many"', False),
        ('memory: "120 GiB"', False),
        ('memory: "121 GiB"', True),
        ('memory: "120 GB"', False),
        ('memory: "1 TB"', True),
        ('memory: "plenty"', False),
        ("cpu: size", False),
    ],
)
def test_a_task_larger_than_any_fargate_size(runtime: str, warned: bool) -> None:
    assert _warned(_task(f'container: "a:1"\n{runtime}', "Int size"), "TaskTooLarge") is warned


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("cat /home/ada/ref.fa", "/home/ada/ref.fa"),
        ('  ls "/mnt/lab/q"', "/mnt/lab/q"),
        ("x=/scratch/ada", "/scratch/ada"),
        ("tool --ref=/data/ref.fa:/data/x", "/data/ref.fa"),
        ("cat /usr/share/x /tmp/home/y /opt/data/z", None),
        ("# cat /home/ada/ref.fa", None),
        ("curl https://host/home/ada", None),
        ("cat ~{name}/home/ada $PWD/data/x ../data/x ${d}/data/x", None),
        ("mkdir -p /data", None),
    ],
)
def test_paths_on_one_machine_in_a_command(line: str, path: str | None) -> None:
    said = _lint(_task(inputs="String name", command=f"true\n{line}")).get("AbsolutePath", [])
    column = line.find(path) + 1 if path else 0
    assert [each.partition(";")[0] for each in said[:1]] == (
        [f"6:{column} the command uses a path on one machine: {path}"] if path else []
    )


def test_a_path_keeps_its_place_behind_placeholders() -> None:
    said = _lint(_task(inputs="String name", command="echo ~{name} ~{\nname} \ncat ~{name} /home/ada/x"))[
        "AbsolutePath"
    ]
    assert said[0].startswith("7:13 ")


@pytest.mark.parametrize(
    ("declaration", "path"),
    [
        ('File ref = "/data/ref.fa"', "/data/ref.fa"),
        ('File ref = "~/ref.fa"', "~/ref.fa"),
        ('Array[File] refs = ["a", "/data/ref.fa"]', "/data/ref.fa"),
        ('String jar = "/usr/gitc/gatk.jar"', None),
        ('File ref = "ref.fa"', None),
        ('File ref = "s3://lab/ref.fa"', None),
        ("File ref", None),
    ],
)
@pytest.mark.parametrize("where", ["task", "workflow"])
def test_paths_on_one_machine_as_defaults(declaration: str, path: str | None, where: str) -> None:
    workflow = f"workflow w {{\ninput {{ {declaration} }}\n}}"
    said = _lint(_task(inputs=declaration) if where == "task" else workflow).get("AbsolutePath", [])
    assert [each.rpartition(" ")[2] for each in said] == ([path] if path else [])


def test_a_private_declaration_is_no_input() -> None:
    assert not _warned('workflow w {\nFile ref = "/data/ref.fa"\n}', "AbsolutePath")


@pytest.mark.parametrize("name", [linter.__name__ for linter in portability.LINTERS])
def test_each_warning_is_suppressed_by_a_comment(name: str) -> None:
    wrong = {
        "MissingImage": "task t {  # !MissingImage\ncommand {}\n}",
        "UnpinnedImage": _task('container: "a"  # !UnpinnedImage'),
        "MemoryWithoutUnit": _task('container: "a:1"\nmemory: 4\n# why not (!MemoryWithoutUnit)'),
        "TaskTooLarge": _task('container: "a:1"\ncpu: 99 # !TaskTooLarge'),
        "AbsolutePath": 'workflow w {\ninput {\nFile ref = "/data/r" # !AbsolutePath\n}\n}',
    }[name]
    assert [said[-1] for said in _lint(wrong)[name]] == ["*"]
    assert [said[-1] for said in _lint(wrong.replace(f"!{name}", ""))[name]] != ["*"]


def test_installing_twice_says_everything_once() -> None:
    portability.install()
    portability.install()
    assert len(_lint(_task('container: "a"'))["UnpinnedImage"]) == 1


def _default(declaration: str) -> Expr.Base:
    document = _document(f'workflow w {{\ninput {{ String a = "A"\nInt n = 3\nString free\n {declaration} }}\n}}')
    assert document.workflow is not None and document.workflow.inputs is not None
    expression = document.workflow.inputs[-1].expr
    assert expression is not None
    return expression


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        ("Int x = 3", 3),
        ("Float x = 1.5", 1.5),
        ("Boolean x = true", True),
        ('String x = "a\\tb"', "a\tb"),
        ('String x = ""', ""),
        ("String x = a", "A"),
        ('String x = "~{a}-~{n}"', "A-3"),
        ('String x = a + ".gz"', "A.gz"),
        ("Int x = n * 2 + 1 - 3", 4),
        ('Array[String] x = ["b", a]', ["b", "A"]),
        ("Array[Int] x = []", []),
        ('String x = "~{free}"', None),
        ('Array[String] x = ["b", free]', None),
        ('String x = sep(",", [a])', None),
        ("Boolean x = n > 2", None),
    ],
)
def test_what_an_expression_is_known_to_be(declaration: str, value: object) -> None:
    assert constant(_default(declaration)) == value
