"""What runs in the container around a task's command, and what it leaves behind in `usage.txt`.

An image may lack everything but a shell, so the script uses POSIX shell builtins alone (`chown` where there
is one). Each line of `usage.txt` is a name and a number; which are there depends on the kernel's cgroups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from ...model import Usage
from ...storage.layout import USAGE

__all__ = ["Figures", "entrypoint", "parse"]

# The figures are the container's own cgroup's: at the path that the kernel names, or, where the container sees
# no other cgroup, at the mount itself. `began` and `ended` are seconds of the machine's uptime.
SCRIPT = f"""
owner=$1
shift
say() {{ echo "$@" >> ../{USAGE}; }}
for stream in ../stdout.txt ../stderr.txt; do
  [ -w $stream ] || {{ echo "the user of the image may not write $stream" >&2; exit 126; }}
done
case $1 in
  */*) [ -x "$1" ] ;;
  *) command -v "$1" > /dev/null 2>&1 ;;
esac || {{ say no_shell 1; exit 127; }}
read -r began _ < /proc/uptime
"$@" ../command >> ../stdout.txt 2>> ../stderr.txt
status=$?
read -r ended _ < /proc/uptime
value() {{ [ -r "$2" ] && read -r it _ < "$2" && say "$1" "$it"; }}
entry() {{ [ -r "$2" ] && while read -r name it _; do [ "$name" = "$3" ] && say "$1" "$it"; done < "$2"; }}
unified=/sys/fs/cgroup memory=/sys/fs/cgroup/memory cpuacct=/sys/fs/cgroup/cpuacct
while IFS=: read -r _ names path; do
  case ,$names, in
    ,,) [ -d "$unified$path" ] && unified=$unified$path ;;
    *,memory,*) [ -d "$memory$path" ] && memory=$memory$path ;;
    *,cpuacct,*) [ -d "$cpuacct$path" ] && cpuacct=$cpuacct$path ;;
  esac
done < /proc/self/cgroup
value memory_peak "$unified/memory.peak"
value memory_peak "$memory/memory.max_usage_in_bytes"
entry oom_kills "$unified/memory.events" oom_kill
entry oom_kills "$memory/memory.oom_control" oom_kill
entry cpu_microseconds "$unified/cpu.stat" usage_usec
value cpu_nanoseconds "$cpuacct/cpuacct.usage"
say began "$began"
say ended "$ended"
say exit "$status"
[ -n "$owner" ] && command -v chown > /dev/null 2>&1 && chown -Rh "$owner" . 2> /dev/null
exit "$status"
"""

_LINE = re.compile(r"^([a-z_]+) (\d{1,18}(?:\.\d{1,9})?)\n", re.MULTILINE)


@dataclass(frozen=True)
class Figures:
    """What the wrapper saw."""

    usage: Usage = field(default_factory=Usage)
    oom_kills: int = 0
    no_shell: bool = False
    """The task's shell is not in the image; nothing ran."""
    exit_code: int | None = None
    """The command's own, if the wrapper lived to see it."""


def entrypoint(shell: str, owner: str) -> tuple[str, ...]:
    """Return the container's command line; `owner` is `uid:gid` to give the working directory to, or empty."""
    return ("/bin/sh", "-c", SCRIPT, "cromulent", owner, *shell.split())


def parse(text: str, own_cgroup: bool = True) -> Figures:
    """Return the figures in `usage.txt`; lines that are not whole are passed over.

    Without a cgroup of its own, what the container read was the figures of all its neighbours.
    """
    numbers = {name: float(number) for name, number in _LINE.findall(text)}
    timed = {"began", "ended"} <= numbers.keys()
    usage = Usage(seconds=round(numbers["ended"] - numbers["began"], 2) if timed else None)
    oom_kills = 0
    if own_cgroup:
        cpu = numbers.get("cpu_microseconds", numbers.get("cpu_nanoseconds", 0.0) / 1000) / 1_000_000
        peak = int(numbers.get("memory_peak", 0))
        source = "cgroup" if cpu or peak else ""
        usage = replace(usage, memory_peak=peak or None, cpu_seconds=round(cpu, 3) if cpu else None, source=source)
        oom_kills = int(numbers.get("oom_kills", 0))
    return Figures(
        usage=usage,
        oom_kills=oom_kills,
        no_shell="no_shell" in numbers,
        exit_code=int(numbers["exit"]) if "exit" in numbers else None,
    )
