"""Power cuts: whoever saw a green lamp is on the card afterwards, once, in an unbroken chain.

`python -m tests.powercut` (or `make powercut`) cuts the power of real kiosk processes in two ways: at random moments on
a real ext4 file system, and at every single write on a card that forgets whatever was not synced. The kiosk under test
is the one that ships; nothing in it knows that it is being cut.
"""
