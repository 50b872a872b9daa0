"""A reverse proxy as a process of its own: speaks TLS to browsers and plain HTTP/1.1 to the console behind it.

`python -m tests.harness.tls_proxy PORT CERTIFICATE KEY BEHIND OWN_ADDRESS`. It does what nginx does with
`proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for` and `X-Forwarded-Proto $scheme`, one request a connection,
and calls the console from an address of its own, by which that can tell it from others on the same machine.
"""

from __future__ import annotations

import asyncio
import ssl
import sys


async def relay(client: asyncio.StreamReader, back: asyncio.StreamWriter, behind: int, own_address: str) -> None:
    """Pass on one request and its answer."""
    address = back.get_extra_info("peername")[0]
    head = (await client.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = [line.split(": ", 1) for line in head[1:]]
    named = {name.lower(): value for name, value in headers}
    forwarded = ", ".join(filter(None, (named.get("x-forwarded-for", ""), address)))
    dropped = ("x-forwarded-for", "x-forwarded-proto", "connection")
    passed = [f"{name}: {value}" for name, value in headers if name.lower() not in dropped]
    passed += [f"X-Forwarded-For: {forwarded}", "X-Forwarded-Proto: https", "Connection: close"]
    body = await client.readexactly(int(named.get("content-length", "0")))
    server, forth = await asyncio.open_connection("127.0.0.1", behind, local_addr=(own_address, 0))
    forth.write("\r\n".join([head[0], *passed, "", ""]).encode("latin-1") + body)
    back.write(await server.read())
    await back.drain()
    forth.close()
    back.close()


async def main() -> None:
    """Serve until the process is ended, and say so once on standard output."""
    port, certificate, key, behind, own_address = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(
        lambda client, back: relay(client, back, int(behind), own_address), "127.0.0.1", int(port), ssl=context
    )
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
