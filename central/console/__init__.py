"""The fleet console: what central operations open in the morning."""
