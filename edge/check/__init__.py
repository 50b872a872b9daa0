"""Whether a kiosk can do its work, found out one thing after the other, with what to do about it.

Every check is a function that returns lines and raises nothing that it could have foreseen. A check disturbs no daemon:
what the daemon holds (devices, its session at the broker) is asked of the daemon while it runs.
"""
