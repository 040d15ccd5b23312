"""The dashboard: cities in a browser, as they run, watched on other machines, or played back from a history.

Here, in the direction of the data: sources on other machines (remote.py), all sources sampled and merged into one
stream (feed.py), the page and the stream over HTTP (server.py, with the files of page/), and how these are put together
(app.py). Not here: statuses, events and time series (telemetry/), the control server and its access policy (control/),
commands (runtime/controller.py).
"""
