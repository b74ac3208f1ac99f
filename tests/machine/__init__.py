"""The engines that tests need: installed, started for one command alone, and gone with it.

    python -m tests.machine [--minutes N] COMMAND [ARGUMENT ...]

As root on Debian or Ubuntu, `debian` installs what is missing, then `__main__` starts `inside` in process, mount and
network namespaces of its own. There a Docker and a Podman of our own run on sockets and in directories of their own,
blind to any others of the machine, and with no network but a loopback, so that two such commands do not meet and no
test asks the world; COMMAND finds them by `DOCKER_HOST` and `CONTAINER_HOST`. When it ends, or is interrupted or
killed, the kernel ends the namespaces, and with them every process, container and mount. After N minutes it is told
to end, and killed when it does not. Anybody else gets COMMAND as it is, with the engines that are there.
"""
