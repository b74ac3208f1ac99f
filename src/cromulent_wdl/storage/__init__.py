"""Where things lie: every file name once (`layout.py`), and what a file's content is (`digests.py`)."""
