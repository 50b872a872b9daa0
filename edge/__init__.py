"""The kiosk daemon: reads documents, records crossings, publishes them, and keeps every one until the centre has it."""
