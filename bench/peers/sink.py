"""The other end of a drain that costs next to nothing: signs a receipt for the last record that came, unseen.

    python -m bench.peers.sink PORT CERTIFICATES RECEIPT_KEY [KIOSK_KEY OPENING_KEY]

It checks, opens and keeps nothing, so that a kiosk is measured against its own limit. As a collector does, it answers
once for all that came during one transaction, here 50 ms. With the last two keys it verifies and opens every record,
which no centre can leave out, and prints at the end how many CPU microseconds one took. It says `ready` when it
listens.
"""

from __future__ import annotations

import queue
import signal
import sys
import time
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.seal import Opener, Signer, Verifier, load_private_key, load_public_key, unverified_payload
from edge.wire.messages import RECEIPT_TYP, RECORD_TYP, Receipt, encode
from edge.wire.record import decode_batch, decode_claims, decode_record
from edge.wire.topics import parse_topic, receipt_topic

TRANSACTION_S = 0.05
AT = "2026-01-01T00:00:00Z"


class Floor:
    """Verifies and opens records, and measures nothing else."""

    def __init__(self, kiosk_key: Path, opening_key: Path) -> None:
        self._verifier = Verifier([load_public_key(kiosk_key)])
        self._opener = Opener([load_private_key(opening_key)])
        self._spent_s, self._records = 0.0, 0

    def take(self, batch: list[bytes]) -> None:
        """Take a batch."""
        records = [decode_record(raw) for raw in batch]
        begin = time.thread_time()
        for record in records:
            self._verifier.verify(record.signature, RECORD_TYP)
            self._opener.open(record.data)
        self._spent_s += time.thread_time() - begin
        self._records += len(records)

    @property
    def record_us(self) -> float:
        """Return the CPU time of one record."""
        return self._spent_s / max(1, self._records) * 1e6


def main(port: int, certificates: Path, receipt_key: Path, floor: Floor | None) -> None:
    """Answer until a signal comes."""
    signer = Signer(load_private_key(receipt_key))
    client = Client(CallbackAPIVersion.VERSION2, client_id="sink", protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set(certificates / "ca.crt", certificates / "client.crt", certificates / "client.key")
    came: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    client.on_connect = lambda client, *_: client.subscribe("landfall/v1/+/+/stream/+", qos=1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = lambda _, __, message: came.put((message.topic, message.payload))
    client.connect("localhost", port)
    client.loop_start()
    while signal.sigtimedwait({signal.SIGTERM, signal.SIGINT}, TRANSACTION_S) is None:
        last = {}
        for _ in range(came.qsize()):
            topic, payload = came.get()
            last[topic] = payload
            if floor is not None:
                floor.take(decode_batch(payload))
        for topic, payload in last.items():
            _answer(client, signer, topic, payload)
    client.disconnect()
    client.loop_stop()
    if floor is not None:
        print(floor.record_us)


def _answer(client: Client, signer: Signer, topic: str, batch: bytes) -> None:
    named, record = parse_topic(topic), decode_record(decode_batch(batch)[-1])
    epoch = decode_claims(unverified_payload(record.signature)).epoch
    receipt = Receipt(named.kiosk, named.leaf, epoch, int(record.sequence), record.hash, "", AT)
    client.publish(receipt_topic(named.kiosk, named.leaf), signer.sign(encode(receipt), RECEIPT_TYP), qos=1)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    keys = [Path(word) for word in sys.argv[4:]]
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), Floor(*keys) if keys else None)
