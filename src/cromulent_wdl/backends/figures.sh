# What a command used, as lines of a name and a number, by shell builtins alone. Which lines there are depends on the
# kernel's cgroups. Only a cgroup that is the container's own counts: the one in which we are, where it is also the root
# of what is mounted here, as in every container that sees its cgroup; and not the machine's root, which alone has a
# `release_agent` (version 1), and alone no `cgroup.type` (version 2). Else there are no lines.

value() { [ -r "$2" ] && read -r it _ < "$2" && echo "$1 $it"; }
entry() { [ -r "$2" ] && while read -r name it _; do [ "$name" = "$3" ] && echo "$1 $it"; done < "$2"; }
unified=/dev/null memory=/dev/null cpuacct=/dev/null in_unified='' in_memory='' in_cpuacct=''
while IFS=: read -r _ names path; do
  case ,$names, in
    ,,) in_unified=$path ;;
    *,memory,*) in_memory=$path ;;
    *,cpuacct,*) in_cpuacct=$path ;;
  esac
done < /proc/self/cgroup
while read -r _ _ _ root point options; do
  case $options in
    *' - cgroup2 '*) [ "$root" = "$in_unified" ] && [ -e "$point/cgroup.type" ] && unified=$point ;;
    *' - cgroup '*,memory*) [ "$root" = "$in_memory" ] && ! [ -e "$point/release_agent" ] && memory=$point ;;
    *' - cgroup '*,cpuacct*) [ "$root" = "$in_cpuacct" ] && ! [ -e "$point/release_agent" ] && cpuacct=$point ;;
  esac
done < /proc/self/mountinfo

figures() {
  value memory_peak "$unified/memory.peak"
  value memory_peak "$memory/memory.max_usage_in_bytes"
  entry oom_kills "$unified/memory.events" oom_kill
  entry oom_kills "$memory/memory.oom_control" oom_kill
  entry cpu_microseconds "$unified/cpu.stat" usage_usec
  value cpu_nanoseconds "$cpuacct/cpuacct.usage"
}
