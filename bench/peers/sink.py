"""The other end of a drain that costs next to nothing: signs a receipt for the last record of each batch, unseen.

    python -m bench.peers.sink PORT CERTIFICATES RECEIPT_KEY

It checks, opens and keeps nothing, so that a kiosk is measured against its own limit. It says `ready` when it listens.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.seal import Signer, load_private_key, unverified_payload
from edge.wire.messages import RECEIPT_TYP, Receipt, encode
from edge.wire.record import decode_batch, decode_claims, decode_record
from edge.wire.topics import parse_topic, receipt_topic

AT = "2026-01-01T00:00:00Z"


def main(port: int, certificates: Path, receipt_key: Path) -> None:
    """Answer until a signal comes."""
    signer = Signer(load_private_key(receipt_key))
    client = Client(CallbackAPIVersion.VERSION2, client_id="sink", protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set(certificates / "ca.crt", certificates / "client.crt", certificates / "client.key")

    def answer(client: Client, _: Any, message: Any) -> None:
        topic = parse_topic(message.topic)
        last = decode_record(decode_batch(message.payload)[-1])
        epoch = decode_claims(unverified_payload(last.signature)).epoch
        receipt = Receipt(topic.kiosk, topic.leaf, epoch, int(last.sequence), last.hash, "", AT)
        client.publish(receipt_topic(topic.kiosk, topic.leaf), signer.sign(encode(receipt), RECEIPT_TYP), qos=1)

    client.on_connect = lambda client, *_: client.subscribe("landfall/v1/+/+/stream/+", qos=1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = answer
    client.connect("localhost", port)
    client.loop_start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
