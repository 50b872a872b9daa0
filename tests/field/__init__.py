"""From a blank card to a kiosk that passes travellers: a centre and two kiosks, each with a systemd of its own.

Everything is typed at terminals as docs/technician.md and docs/operations.md say. `machines` makes the machines from
this tree or from the Debian packages, `journey` has the steps, which are the same on both.
"""
