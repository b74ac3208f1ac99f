"""A run as one HTML file that needs nothing else: no network, no other file.

`data.py` makes the calls columns of numbers, `texts.py` adds what people look up of single calls as far as there is
room, and `build.py` renders `page.html.j2` with both and with the style and scripts beside it. The page's policy
(CSP) allows those scripts by their digest and nothing else, so not even a mistake in escaping could run or fetch
anything. What a reader needs first stands in the HTML itself; the scripts draw the timeline and the table.
"""
