# Runs one attempt's command in its container, and leaves how it went on the shared disk. What is set above this
# line: `here` (the attempt's directory), `marker` (the file that says it has ended), `call` (the call's directory),
# `stdout`, `stderr`, `deadline`, `grace`, `notice` and `look` (seconds), and the command's shell as $1 and on.
#
# An image may lack everything but /bin/sh, so this is POSIX shell builtins alone. `sleep`, without which nothing can
# be timed, `sync` and `df` are used where they are. The command runs in the background, since a shell that waits in the
# foreground heeds no signal; as POSIX has it, such a command may ignore SIGINT and SIGQUIT. What truncates a file is
# `true`, since a shell ends where a redirection of `:` fails.

complain() { echo "cromulent: $*" >&2; }
has() { command -v "$1" > /dev/null 2>&1; }

why='' child='' timer='' insisted=''
trap 'stop terminated "$notice"' TERM
trap 'stop deadline "$grace"' USR1
trap 'stop revoked "$grace"' HUP
trap 'insisted=yes; tell KILL' USR2

# Ask the command to end, for the first of the reasons given, and see that it does.
stop() {
  [ "$why" ] || why=$1
  [ "$child" ] || return 0 # it has not begun, and will not
  { true > "$here/stopping"; } 2> /dev/null
  tell TERM
  after "$2" USR2
}

# Send us a signal after some seconds.
after() {
  has sleep || return 0
  (
    trap 'kill "$nap"; exit' TERM
    sleep "$1" & nap=$!
    wait "$nap" && kill -s "$2" "$$"
  ) < /dev/null > /dev/null 2>&1 &
  timer="$timer $!"
}

# Print how many KiB of our own disk are in use, the image's among them; nothing where the image has no `df`.
in_use() { has df && df -Pk / 2> /dev/null | { read -r _ && read -r _ _ it _ && echo "$it"; }; }

# Look now and then whether the claim was revoked: another attempt may take our place while nobody can reach us. A
# file that is opened is asked for anew on NFS, so what is added to the claim is seen at the next look. And note the
# most of our disk that was in use at any look; what is in use before the command is so at its end as well.
watch() {
  has sleep || return 0
  (
    trap 'kill "$nap"; exit' TERM
    most=0
    while :; do
      sleep "$look" & nap=$!
      wait "$nap"
      kill -s 0 "$$" 2> /dev/null || exit # there is nobody left to tell
      now=$(in_use)
      [ "${now:-0}" -gt "$most" ] && most=$now && echo "$most" > "$here/disk"
      fenced=''
      { read -r _ && read -r fenced; } < "$here/claim"
      [ -z "$fenced" ] || kill -s HUP "$$"
    done
  ) < /dev/null > /dev/null 2>&1 &
  timer="$timer $!"
}

# Send a signal to all processes of the command: to everything but us where we are the container's first process.
tell() {
  if [ "$$" -eq 1 ]; then
    kill -s "$1" -- -1 2> /dev/null
  else
    family
    kill -s "$1" $found 2> /dev/null
  fi
  return 0
}

# Set `found` to the command's process and all that descend from it.
family() {
  found=" $child " more=yes
  while [ "$more" ]; do
    more=''
    for process in /proc/[0-9]*; do
      process=${process#/proc/}
      case $found in *" $process "*) continue ;; esac
      while read -r name value; do
        if [ "$name" = PPid: ]; then
          case $found in *" $value "*) found="$found$process " more=yes ;; esac
          break
        fi
      done 2> /dev/null < "/proc/$process/status"
    done
  done
}

# Print the names of things in the working directory, each followed by a NUL, up to so many as take a few seconds.
left=10000
list() {
  for entry in "$call/work/$1"* "$call/work/$1".[!.]* "$call/work/$1"..?*; do
    [ "$left" -gt 0 ] || return 0
    name=${entry#"$call/work/"}
    case $name in
      _miniwdl_inputs) continue ;;
      *'*'*) [ -e "$entry" ] || [ -L "$entry" ] || continue ;; # most likely a pattern that nothing fits
    esac
    printf '%s\0' "$name"
    left=$((left - 1))
    if [ -d "$entry" ] && ! [ -L "$entry" ]; then list "$name/"; fi
  done
}

# Whether nobody else is in our cgroup, so that its figures are ours.
alone() {
  others=''
  for group in "$unified" "$memory"; do
    [ -r "$group/cgroup.procs" ] || continue
    while read -r process; do
      [ "$process" = "$$" ] || [ "$process" = 1 ] || others=yes
    done < "$group/cgroup.procs"
  done
  [ -z "$others" ]
}

# Have what was written to a network file system arrive there; closing a file does it for most, not for mapped memory.
settle() {
  kind=''
  while read -r _ point type _; do
    case $call/ in "$point"/*) kind=$type ;; esac
  done < /proc/mounts
  case $kind in nfs*) has sync && { sync -f "$call/work" || sync; } > /dev/null 2>&1 ;; esac
}

# Leave the result, whole or told from a whole one by the lack of its last line; then the file that says so.
record() {
  {
    figures
    [ -z "$own" ] || echo 'own_cgroup 1'
    [ -z "$kills" ] || echo "$kills"
    value disk_used "$here/disk"
    [ -z "$disk" ] || echo "disk_used $disk"
    echo "began $began"
    echo "ended $ended"
    while IFS=: read -r name value; do
      case $name in 'model name'*) echo "cpu_model $value" && break ;; esac
    done < /proc/cpuinfo
    [ -z "$why" ] || echo "$why 1"
    echo "exit $code"
    echo end
  } > "$here/result" || complain "the result of $here could not be written"
  true > "$marker" || complain "$marker could not be written"
}

finish() {
  [ -e "$here/listing" ] || true > "$here/listing" # of a command that never began
  [ "$ended" ] || read -r ended _ < /proc/uptime
  disk=$(in_use)
  record
  exit "$code"
}

# --- the claim: of all copies of an attempt that were started, the first runs, and none once it is revoked ---

container=${ECS_CONTAINER_METADATA_URI_V4##*/}
if ! (set -C && echo "${container:-unknown}" > "$here/claim") 2> /dev/null; then
  [ -e "$here/claim" ] || { complain "$here cannot be written"; exit 74; }
  complain "this attempt was claimed by another container, or revoked"
  exit 75
fi

own='' kills='' ended='' code=''
alone && own=yes
kills=$(entry oom_kills_before "$unified/memory.events" oom_kill; entry oom_kills_before "$memory/memory.oom_control" oom_kill)
read -r began _ < /proc/uptime
{ true >> "$stdout" && true >> "$stderr"; } || { complain "$stdout and $stderr cannot be written"; exit 73; }
case $1 in
  */*) [ -x "$1" ] ;;
  *) has "$1" ;;
esac || { why=no_shell code=127; finish; }

# --- the command ---

[ -z "$why" ] || { code=143; finish; }
(
  trap : TERM # it tells the command's status even when all are asked to end; what it starts gets the signal as usual
  (
    # Between its beginning and here a shell has the traps of the one that began it, and forgets what they heard.
    [ ! -e "$here/stopping" ] || exit 143
    cd "$call/work" || exit
    export PWD # the name by which it was entered, which may be a link
    set -- "$here/environment" "$@"
    if [ -r "$1" ]; then
      . "$1"
      true > "$1" # secrets do not stay on the disk
    fi
    shift
    exec "$@" ../command
  )
  code=$?
  while [ "$code" -gt 255 ]; do code=$((code - 128)); done # of a signal, as some shells have it
  echo "$code" > "$here/status"
  exit "$code"
) < /dev/null >> "$stdout" 2>> "$stderr" &
child=$!
[ -z "$why" ] || stop "$why" "$notice"
[ "$deadline" -eq 0 ] || after "$deadline" USR1
watch

while :; do
  wait "$child"
  code=$?
  kill -s 0 "$child" 2> /dev/null || break # else a signal has interrupted us
done
trap '' TERM HUP USR1 USR2
read -r ended _ < /proc/uptime
[ -z "$timer" ] || kill $timer 2> /dev/null
[ "$$" -ne 1 ] || tell KILL # nothing may write any more
# A command that was killed has told no status, and the shell may have told us that of our own interruption.
while [ "$code" -gt 255 ]; do code=$((code - 128)); done
[ -z "$insisted" ] || code=137
[ ! -s "$here/status" ] || read -r code < "$here/status"

list '' > "$here/listing"
settle
finish
