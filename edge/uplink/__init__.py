"""Drain the streams to the centre by MQTT, and take its receipts.

The cache is the truth; the uplink only reads it, and nothing is written to disk to publish. Always true: PUBACK moves
the window and nothing else; only a receipt that the centre signed, for a hash that this store knows, moves what is
held; restart, reconnect and a lost receipt are one path: send from N+1.
"""
