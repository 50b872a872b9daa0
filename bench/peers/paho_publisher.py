"""paho-mqtt by itself: one record a PUBLISH with QoS 1 from memory, 100 on their way, over the same TLS.

    python -m bench.peers.paho_publisher PORT CERTIFICATES TOPIC COUNT < RECORDS

`RECORDS` is a JSON array of strings, taken in turn. Prints the seconds from the first PUBLISH to the last PUBACK and
the CPU seconds in between.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

IN_FLIGHT = 100


def main(port: int, certificates: Path, topic: str, count: int) -> None:
    """Publish and wait for what is on its way."""
    records = [record.encode() for record in msgspec.json.decode(sys.stdin.buffer.read(), type=list[str])]
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.tls_set(certificates / "ca.crt", certificates / "client.crt", certificates / "client.key")
    client.max_inflight_messages_set(IN_FLIGHT)
    free, connected = threading.Semaphore(IN_FLIGHT), threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.on_publish = lambda *_: free.release()
    client.connect("localhost", port)
    client.loop_start()
    if not connected.wait(10):
        raise TimeoutError("the broker did not answer")
    begin, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        free.acquire()
        client.publish(topic, records[number % len(records)], qos=1)
    for _ in range(IN_FLIGHT):
        free.acquire()
    print(time.perf_counter() - begin, time.process_time() - cpu)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
