"""The dashboard: cities in a browser, live, watched from afar, or played back from a history.

Here, in the order in which things flow: what a status has no room for (detail.py), sources of statuses (source.py,
watch.py, which believes what checks.py lets through), what has happened between two of them (events.py), the numbers
that are kept over time (rows.py, track.py), all of it as one stream (feed.py), the page over HTTP and a websocket
(site.py, with the files of page/), and all of that put together (show.py). Not here: who may ask (guard.py), commands
(control.py, steering.py).
"""
