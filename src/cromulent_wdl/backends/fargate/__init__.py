"""Tasks as ECS tasks on Fargate, whose files are on a file system that they share with the head.

`staging.py` lays out a task's inputs on the shared file system before it starts, and makes what it left readable for
the head when it has ended. `wrapper.py` writes the script that runs the command in the container (`wrapper.sh`) and
reads what that left: one directory an attempt, under a key that is its only one.
"""
