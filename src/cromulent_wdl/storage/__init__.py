"""Where things lie: every file name once (`layout.py`), every key of a bucket once (`bucket.py`), what a file's content
is (`digests.py`), what a head has of S3 and of the web (`downloads.py`, `web.py`), and what a file system that hosts
share is (`shared.py`) and shows (`appearing.py`).
"""
