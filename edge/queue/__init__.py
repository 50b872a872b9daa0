"""The technician's tools for the local cache: `landfall queue stats | list | show | verify | export | import-receipts`.

Each module here is one verb's work and returns what it found; `edge.queue.screen` puts it into words. Always true: the
cache is opened for reading alone, and only the running kiosk changes it; no traveller is in anything that is shown.
"""
