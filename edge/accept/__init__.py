"""The guided check of a kiosk that was set up: a technician, step by step through every device, and a signed report.

It is what `landfall-provision accept` runs. The kiosk's daemon goes on working: devices, lamps and crossings are its
own, and this room asks it over the control socket. Always true: nothing of a document or a face comes here; every
failure names what to do; whoever cannot answer skips, and the report says so.
"""
