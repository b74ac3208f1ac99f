"""What can be said of the command line without importing anything: its commands, its help, its version.

People type `--help` and press Tab often, and click alone takes longer to import than Python to start.
`group.py` builds the real command line from the same table.
"""

from __future__ import annotations

from .. import __version__

TYPE_CHECKING = False  # typing's own costs a fifth of `cromulent --help`
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMANDS", "COMPLETE_VARIABLE", "HIDDEN", "PROGRAM", "answer", "help_text"]

PROGRAM = "cromulent"
COMPLETE_VARIABLE = "_CROMULENT_COMPLETE"

COMMANDS: tuple[tuple[str, str, str], ...] = (
    # name, section, one line of help; the module of the same name in this package has the command
    ("run", "Run", "Run a workflow or a task"),
    ("rerun", "Run", "Run a run again, with what is to be different"),
    ("plan", "Run", "Show what each call would get on Fargate, and its price"),
    ("check", "WDL", "Check WDL: errors, lint, and what will not run elsewhere"),
    ("template", "WDL", "Print the inputs of a workflow as JSON to fill in"),
    ("graph", "WDL", "Draw a workflow: SVG, PNG or Mermaid"),
    ("ls", "Runs", "List runs, the newest first"),
    ("status", "Runs", "Show how a run is doing; alone, your deployment on AWS"),
    ("why", "Runs", "Say why a run failed, or for what it waits"),
    ("report", "Runs", "Make one HTML file of a run"),
    ("cost", "Runs", "Print what runs cost on AWS, by call"),
    ("tune", "Runs", "Compare what tasks asked for with what they used"),
    ("logs", "Runs", "Print the log of a run or of one of its calls"),
    ("attach", "Runs", "Follow a run that goes on, here or in the cloud"),
    ("wait", "Runs", "Wait until a run has ended"),
    ("stop", "Runs", "End a run before its time"),
    ("outputs", "Runs", "Print the outputs of a run; bring them home"),
    ("up", "AWS", "Make or change what runs workflows in your account"),
    ("down", "AWS", "Take that away again; keeps your data unless told not to"),
    ("gc", "AWS", "Remove what old runs in the cloud left"),
    ("prices", "AWS", "Print what AWS charges for what runs use"),
    ("policy", "AWS", "Print the IAM policy that this needs of you, and no more"),
    ("reap", "AWS", "Stop tasks on Fargate whose run is dead"),
    ("doctor", "AWS", "Check this machine, your account and the deployment"),
    ("simulate", "AWS", "Start a local AWS, or run a command with one"),
    ("config", "Setup", "Show every setting and where its value came from"),
    ("completion", "Setup", "Complete commands, runs and inputs with the Tab key"),
)

HIDDEN = ("orchestrate",)
"""Commands that machines type."""

_OPTIONS = (
    ("--version", "Print the version; with -v that of what it stands on, too"),
    ("--debug", "When something goes wrong, show the Python trace"),
    ("-h, --help", "Print this, or after a command its own help"),
)

_EXAMPLES = (
    "cromulent run hello.wdl name=World",
    "cromulent logs last align -f",
)


def help_text() -> str:
    """Return the help of the whole command line."""
    lines = [f"Usage: {PROGRAM} COMMAND …", "", "Run WDL workflows.", ""]
    section = ""
    for name, under, text in COMMANDS:
        lines.append(f"{'' if under == section else under:<7}{name:<12}{text}")
        section = under
    lines += ["", *(f"  {option:<17}{text}" for option, text in _OPTIONS)]
    lines += ["", "RUN is a directory, a run id or the beginning of one, or `last`.", ""]
    lines += [f"  {example}" for example in _EXAMPLES]
    return "\n".join(lines)


def answer(arguments: list[str], environ: Mapping[str, str]) -> str | None:
    """Return what to print if these arguments need nothing but this module, else None."""
    if COMPLETE_VARIABLE in environ:
        return _complete_command(environ)
    if arguments in ([], ["--help"], ["-h"]):
        return help_text()
    if arguments == ["--version"]:
        return f"{PROGRAM} {__version__}"
    return None


def _complete_command(environ: Mapping[str, str]) -> str | None:
    """Return the commands that begin with the only word typed so far, in the form that click's scripts read."""
    shell = environ[COMPLETE_VARIABLE].partition("_")[0]
    words = environ.get("COMP_WORDS", "").split(" ")
    if environ[COMPLETE_VARIABLE] not in ("bash_complete", "zsh_complete", "fish_complete") or len(words) != 2:
        return None
    if words[1].startswith("-") or not words[1].isascii():
        return None
    matches = [(name, text) for name, _, text in COMMANDS if name.startswith(words[1])]
    if shell == "bash":
        return "\n".join(f"plain,{name}" for name, _ in matches)
    separator, pattern = ("\n", "plain\n{}\n{}") if shell == "zsh" else ("\n", "plain,{}\t{}")
    return separator.join(pattern.format(name, text) for name, text in matches)
