"""`cromulent run`: the inputs, options and results of `miniwdl run`, on our backends."""

from __future__ import annotations

import click

from .completing import complete_input, complete_word
from .deployment import where
from .options import RunOptions
from .quantities import dollars, seconds
from .result_file import result_file

__all__ = ["command"]

_EPILOG = """\b
Examples:
  cromulent run hello.wdl name=World
  cromulent run align.wdl -i inputs.json reads=a.fq --backend docker
  cromulent run align.wdl -i inputs.json reads=a.fq --on aws
  cromulent run https://example.org/qc.wdl sample=s1 -d runs -o result.json

Run again after a failure or an interruption: what was done is taken from the call cache.
"""


@click.command("run", epilog=_EPILOG)
@click.argument("source", metavar="SOURCE", type=click.Path())
@click.argument("inputs", nargs=-1, metavar="[NAME=VALUE]...", shell_complete=complete_input)
@click.option("-i", "--input", "input_file", metavar="FILE", help="Inputs as JSON or YAML: a file, '-', or the JSON.")
@click.option("--empty", multiple=True, metavar="NAME", help="Set a String or Array input to empty.")
@click.option("--none", multiple=True, metavar="NAME", help="Set an optional input to None.")
@click.option("--task", metavar="NAME", help="Run this task of the document.")
@click.option("-j", "--json", "json_only", is_flag=True, help="Print the inputs as JSON and exit.")
@click.option(
    "--backend", metavar="auto|docker|podman|process|fargate", shell_complete=complete_word,
    help="Where tasks run.  [default: auto]",
)  # fmt: skip
@click.option(
    "--on", type=click.Choice(["here", "aws"]), default="here", show_default=True, help="Run here or in the cloud."
)
@click.option("--detach", is_flag=True, help="With --on aws: print the run id and leave.")
@click.option("--download", metavar="DIR", help="With --on aws: bring the outputs home.")
@where
@click.option(
    "-d", "--dir", "directory", metavar="DIR", help="Put the run directory here; 'DIR/.' is the run directory."
)
@result_file
@click.option("--error-json", is_flag=True, help="On failure too, print JSON to standard output.")
@click.option(
    "--progress", metavar="auto|live|plain|json", shell_complete=complete_word,
    help="How the run is shown on standard error.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Show miniwdl's log, with the tasks' standard error.")
@click.option("--debug", is_flag=True, help="Show everything, and tracebacks.")
@click.option("--log-json", is_flag=True, help="Write the log as JSON.")
@click.option("--no-color", is_flag=True, help="Do not use colours (also by NO_COLOR).")
@click.option("--no-cache", is_flag=True, help="Do not take results from the call cache.")
@click.option(
    "--env", multiple=True, metavar="NAME[=VALUE]", help="Set or pass on an environment variable to all tasks."
)
@click.option(
    "--secret", multiple=True, metavar="TASK.NAME=ARN", help="On Fargate: set a variable of a task to this secret."
)
@click.option("--runtime-defaults", metavar="JSON", help="Runtime settings for tasks that lack them: a file or JSON.")
@click.option("--runtime-cpu-max", type=int, metavar="N", help="Cap runtime.cpu.")
@click.option("--runtime-memory-max", metavar="SIZE", help="Cap runtime.memory.")
@click.option(
    "--task-timeout", metavar="TIME", callback=seconds, help="Stop Fargate tasks without timeout_minutes after so long."
)
@click.option(
    "--max-cost",
    callback=dollars,
    metavar="DOLLARS",
    help="Launch no Fargate task once the run has cost so much.",
)
@click.option("-@", "--max-tasks", type=click.IntRange(0), metavar="N", help="Run at most N calls at once.")
@click.option("--copy-input-files", is_flag=True, help="Give every task writable copies of its inputs.")
@click.option("--copy-input-files-for", multiple=True, metavar="TASK", help="Give this task writable copies.")
@click.option("--as-me", is_flag=True, help="Run containers as the invoking user.")
@click.option("--cfg", metavar="FILE", help="miniwdl configuration file to use.")
@click.option("-p", "--path", multiple=True, metavar="DIR", help="Look for imports here too.")
@click.option(
    "--no-quant-check",
    "check_quant",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Relax checks of optional types.",
)
@click.option("--no-outside-imports", is_flag=True, help="Refuse imports from outside the WDL file's directory.")
def command(**given: object) -> int:
    """Run a workflow or task: SOURCE is a .wdl file, a URL, or a zip made by `miniwdl zip`.

    The result is JSON on standard output: {"dir": ..., "outputs": ...}. Everything else is said on standard
    error. The exit status is 0, or that of the command that failed, or 2 where none did, or nothing was started.
    """
    options = RunOptions(**given)  # type: ignore[arg-type]  # click has made the fields' types
    options.check_place()
    if options.on == "aws":
        from .cloud import run_in_cloud

        return run_in_cloud(options)
    from .runner import run

    return run(options)
