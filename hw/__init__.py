"""Devices of a kiosk: readers, camera and panel, each behind a Protocol, each with a simulated twin."""
