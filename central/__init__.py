"""The receiving end: verifies, opens and stores what kiosks publish, and signs receipts for what it holds."""
