"""Messages that the kiosk owes the centre until the broker has them: replies to commands. PURE.

Owns which are owed. Always true: one that the broker took, or refused for good, is owed no more; there are never more
than `MOST_OWED`, and the oldest go first, since the centre asks again for what it misses.
"""

from __future__ import annotations

MOST_OWED = 16


class Answers:
    """Signed messages by their topic; `mid` is the packet identifier under which one went out."""

    def __init__(self) -> None:
        self._owed: dict[str, bytes] = {}
        self._sent: dict[int, str] = {}

    def owe(self, topic: str, payload: bytes) -> None:
        """Owe a message, in the place of an older one on its topic."""
        self._owed.pop(topic, None)
        self._owed[topic] = payload
        while len(self._owed) > MOST_OWED:
            del self._owed[next(iter(self._owed))]

    def reconnected(self) -> list[tuple[str, bytes]]:
        """Return everything that is owed: of what went out on the old connection nobody knows where it is."""
        self._sent.clear()
        return list(self._owed.items())

    def sent(self, mid: int | None, topic: str) -> None:
        """Note that one went out."""
        if mid is not None and topic in self._owed:
            self._sent[mid] = topic

    def acknowledged(self, mid: int) -> bool:
        """Note a PUBACK; return whether it was for one of these."""
        topic = self._sent.pop(mid, None)
        if topic is not None:
            self._owed.pop(topic, None)
        return topic is not None
