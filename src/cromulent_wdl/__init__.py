"""Run WDL workflows on the machine in front of you.

The language and the workflow engine are miniwdl's. This package gives it backends that execute tasks, and a
command line around it. Read `backends` for the seam between the two, `plugin` for how miniwdl sees us,
`cli` for what people type.
"""

__version__ = "0.1.0"
