"""Photos of travellers, measured: is there one face, near enough, upright, well lit and sharp?

Needs OpenCV, so it runs in a process of its own (`hw.sight_child`) and never in the daemon. Nobody is recognised here,
and no photo is refused: what is measured asks for another attempt, and goes into the record.
"""
