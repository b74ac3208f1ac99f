"""What runs in the container around a task's command, and leaves its figures in `usage.txt`.

An image may lack everything but a shell, so the script uses POSIX shell builtins alone (`chown` where there is one).
"""

from __future__ import annotations

from ...storage.layout import USAGE
from ..figures import FUNCTIONS

__all__ = ["entrypoint"]

# `began` and `ended` are seconds of the machine's uptime.
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
{FUNCTIONS}
figures >> ../{USAGE}
say began "$began"
say ended "$ended"
say exit "$status"
[ -n "$owner" ] && command -v chown > /dev/null 2>&1 && chown -Rh "$owner" . 2> /dev/null
exit "$status"
"""


def entrypoint(shell: str, owner: str) -> tuple[str, ...]:
    """Return the container's command line; `owner` is `uid:gid` to give the working directory to, or empty."""
    return ("/bin/sh", "-c", SCRIPT, "cromulent", owner, *shell.split())
