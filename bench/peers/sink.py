"""The other end of a drain that costs next to nothing: signs a receipt for the last record that came, unseen.

    python -m bench.peers.sink PORT CERTIFICATES RECEIPT_KEY

It checks, opens and keeps nothing, so that a kiosk is measured against its own limit. As a collector does, it answers
once for all that came during one transaction, here 50 ms. It says `ready` when it listens.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.seal import Signer, load_private_key, unverified_payload
from edge.wire.messages import RECEIPT_TYP, Receipt, encode
from edge.wire.record import decode_batch, decode_claims, decode_record
from edge.wire.topics import parse_topic, receipt_topic

TRANSACTION_S = 0.05
AT = "2026-01-01T00:00:00Z"


def main(port: int, certificates: Path, receipt_key: Path) -> None:
    """Answer until a signal comes."""
    signer = Signer(load_private_key(receipt_key))
    client = Client(CallbackAPIVersion.VERSION2, client_id="sink", protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set(certificates / "ca.crt", certificates / "client.crt", certificates / "client.key")

    last: dict[str, bytes] = {}
    client.on_connect = lambda client, *_: client.subscribe("landfall/v1/+/+/stream/+", qos=1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = lambda _, __, message: last.update({message.topic: message.payload})
    client.connect("localhost", port)
    client.loop_start()
    while signal.sigtimedwait({signal.SIGTERM, signal.SIGINT}, TRANSACTION_S) is None:
        while last:
            _answer(client, signer, *last.popitem())
    client.disconnect()
    client.loop_stop()


def _answer(client: Client, signer: Signer, topic: str, batch: bytes) -> None:
    named, record = parse_topic(topic), decode_record(decode_batch(batch)[-1])
    epoch = decode_claims(unverified_payload(record.signature)).epoch
    receipt = Receipt(named.kiosk, named.leaf, epoch, int(record.sequence), record.hash, "", AT)
    client.publish(receipt_topic(named.kiosk, named.leaf), signer.sign(encode(receipt), RECEIPT_TYP), qos=1)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
