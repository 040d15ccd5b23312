"""Telemetry: what is known of running cities, as typed values.

Here: the status of a city and its checks (schema.py), statistics that a status line leaves out (statistics.py), sources
of statuses (source.py), events (events.py) and their collection from the log (log_events.py), the time of all of these
(clock.py), metrics of a status (metrics.py), time series of them (timeseries.py) and which samples are merged to keep
both time series and histories small (thinning.py). Not here: the dashboard, histories on disk, the terminal.
"""
