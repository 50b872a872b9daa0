"""The ThingsBoard gateway's own way from SQLite to MQTT with QoS 1, driven by itself; runs where that is installed.

    python bench/peers/thingsboard.py PORT CERTIFICATES FOLDER COUNT < RECORDS

Its storage and its client are those of the package `thingsboard-gateway`; the loop between them does what its service
does with an event pack: parse, group by device, publish, wait for the acknowledgements, delete. Rate limits are off.
Prints the seconds from the first pack to the last deletion and the CPU seconds in between.
"""

import json
import logging
import sys
import threading
import time

from tb_gateway_mqtt import TBGatewayMqttClient
from thingsboard_gateway.storage.sqlite.sqlite_event_storage import SQLiteEventStorage

PACK = 1000
NO_LIMIT = "0:0,"


def fill(storage, records, count):
    """Put so many events into the storage, and wait until its thread has written them."""
    for number in range(count):
        values = {"ts": 1767225600000 + number, "values": {"record": records[number % len(records)]}}
        event = {"deviceName": "kiosk-1", "deviceType": "kiosk", "telemetry": [values], "attributes": []}
        while not storage.put(json.dumps(event)):
            time.sleep(0.001)


def drain(storage, client, count):
    """Publish pack after pack."""
    done = 0
    while done < count:
        events = storage.get_event_pack()
        if not events:
            time.sleep(0.001)
            continue
        telemetry = []
        for event in events:
            telemetry += json.loads(event)["telemetry"]
        published = client.gw_send_telemetry("kiosk-1", telemetry)
        if published.get() != published.TB_ERR_SUCCESS:
            raise RuntimeError("a publication failed")
        storage.event_pack_processing_done()
        done += len(events)


def main(port, certificates, folder, count):
    """Fill, connect, drain."""
    records = json.load(sys.stdin)
    stop = threading.Event()
    settings = {"data_file_path": f"{folder}/", "max_read_records_count": PACK}
    log = logging.getLogger("storage")
    log.trace = log.debug  # a level that the gateway adds
    storage = SQLiteEventStorage(settings, log, stop)
    fill(storage, records, count)
    limits = ("messages", "telemetry", "telemetry_dp", "device_messages", "device_telemetry", "device_telemetry_dp")
    client = TBGatewayMqttClient(
        "localhost", port, "", quality_of_service=1, **{f"{limit}_rate_limit": NO_LIMIT for limit in limits}
    )
    client.max_inflight_messages_set(100)
    client.connect(
        tls=True,
        ca_certs=f"{certificates}/ca.crt",
        cert_file=f"{certificates}/client.crt",
        key_file=f"{certificates}/client.key",
    )
    while not client.is_connected():
        time.sleep(0.01)
    begin, cpu = time.perf_counter(), time.process_time()
    drain(storage, client, count)
    print(time.perf_counter() - begin, time.process_time() - cpu)
    sys.stdout.flush()
    stop.set()
    client.disconnect()
    client.stop()
    storage.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
