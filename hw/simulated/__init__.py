"""A lane without hardware: real ptys, pins of gpiozero's mock factory, a camera process, and travellers who come.

The drivers are the real ones; what is simulated sits at the far end of the wire, where the hardware would be.
"""
