"""The engines that tests need: installed, started for one command alone, and gone with it.

    python -m tests.machine COMMAND [ARGUMENT ...]

As root on Debian or Ubuntu, `debian` installs what is missing, then `__main__` starts `inside` in process and mount
namespaces of its own. There a Docker and a Podman of our own run on sockets and in directories of their own, blind
to any others of the machine; COMMAND finds them by `DOCKER_HOST` and `CONTAINER_HOST`. When it ends, or is interrupted
or killed, the kernel ends the namespaces, and with them every process, container and mount. Anybody else gets COMMAND
as it is, with the engines that are there.
"""
