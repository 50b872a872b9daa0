"""Programs that run beside the kiosk in a benchmark, each in a process of its own."""
