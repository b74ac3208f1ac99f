"""Where things lie: every file name once (`layout.py`), what a file's content is (`digests.py`), and what a file system
that is shared with other hosts is (`shared.py`) and shows (`appearing.py`)."""
