"""`make demo`: a whole deployment on one machine, with travellers, outages and a power cut, counted at both ends.

It is the one place that looks into every room, because it shows them together.
"""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration and return the exit status; its libraries are loaded only now."""
    from provisioning.demo.cli import main as run

    return run(arguments)
