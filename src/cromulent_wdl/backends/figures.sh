# What a command used, as lines of a name and a number, by shell builtins alone. Which lines there are depends on the
# kernel's cgroups. The cgroup is the container's own: at the path that the kernel names, or, where the container sees
# no other cgroup, at the mount itself.

value() { [ -r "$2" ] && read -r it _ < "$2" && echo "$1 $it"; }
entry() { [ -r "$2" ] && while read -r name it _; do [ "$name" = "$3" ] && echo "$1 $it"; done < "$2"; }
unified=/sys/fs/cgroup memory=/sys/fs/cgroup/memory cpuacct=/sys/fs/cgroup/cpuacct
while IFS=: read -r _ names path; do
  case ,$names, in
    ,,) [ -d "$unified$path" ] && unified=$unified$path ;;
    *,memory,*) [ -d "$memory$path" ] && memory=$memory$path ;;
    *,cpuacct,*) [ -d "$cpuacct$path" ] && cpuacct=$cpuacct$path ;;
  esac
done < /proc/self/cgroup

figures() {
  value memory_peak "$unified/memory.peak"
  value memory_peak "$memory/memory.max_usage_in_bytes"
  entry oom_kills "$unified/memory.events" oom_kill
  entry oom_kills "$memory/memory.oom_control" oom_kill
  entry cpu_microseconds "$unified/cpu.stat" usage_usec
  value cpu_nanoseconds "$cpuacct/cpuacct.usage"
}
