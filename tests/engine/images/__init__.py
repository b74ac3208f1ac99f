"""The images that tests run, made on the spot from what the machine has: no registry is asked.

`archive` packs a layer as an image that `docker load` and `podman load` take; `busybox` makes the layer that
nearly every test runs in. Both are plain functions: bytes in, bytes out.
"""
