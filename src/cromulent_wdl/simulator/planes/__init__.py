"""What really happens to a task of the simulator: `play` pretends, `process` and `container` run it.

Each is a `DataPlane` of ../ecs/seam.py: it takes a `Launch` and tells a `Watcher` how the task goes on.
"""
