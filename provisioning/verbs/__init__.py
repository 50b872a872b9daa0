"""The verbs of `landfall-provision`, by who types them: the office, and the technician at the kiosk."""
