"""central.toml: what is taken, and the sentence for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from central.config import load, parse
from edge.errors import SettingError

HERE = Path("/etc/landfall/central.toml")
WHOLE = """
[database]
url = "postgresql://landfall:geheim@db.example/landfall"
[broker]
host = "broker.example"
ca = "ca.crt"
certificate = "/run/credentials/client.crt"
key = "client.key"
[keys]
receipt_key = "receipt.key.json"
opening_keys = ["opening.key.json", "old/opening.key.json"]
[collector]
gap_patience_s = 2
"""


def test_paths_are_taken_from_the_folder_of_the_file():
    settings = parse(WHOLE, HERE)
    broker, keys = settings.for_collecting()
    assert (broker.ca, broker.certificate) == (Path("/etc/landfall/ca.crt"), Path("/run/credentials/client.crt"))
    assert keys.opening_keys == (Path("/etc/landfall/opening.key.json"), Path("/etc/landfall/old/opening.key.json"))
    assert (broker.port, settings.collector.gap_patience_s) == (8883, 2)


def test_an_empty_file_means_a_database_beside_it():
    assert parse("", HERE).database.url == "sqlite:////etc/landfall/central.db"


def test_an_absolute_database_stays_where_it_is():
    assert parse('[database]\nurl = "sqlite:////var/lib/x.db"', HERE).database.url == "sqlite:////var/lib/x.db"


def test_postgresql_is_reached_through_psycopg():
    assert parse(WHOLE, HERE).database.url.startswith("postgresql+psycopg://landfall:geheim@")


def test_no_password_is_in_a_repr():
    settings = parse(
        WHOLE.replace('key = "client.key"', 'key = "client.key"\nshare_group = "geheim-geheim-geheim"'), HERE
    )
    assert settings.broker.share_group == "geheim-geheim-geheim"
    assert "geheim" not in repr(settings)


BROKER = '[broker]\nhost = "h"\nca = "a"\ncertificate = "b"\nkey = "c"\n'
WRONG = {
    "no TOML": ("[", "", "is not TOML"),
    "unknown section": ("[brokr]", "brokr", "is no setting"),
    "unknown key": (BROKER + "prot = 1", "broker.prot", "is no setting"),
    "missing key": ('[broker]\nhost = "h"', "broker.ca", "must be set"),
    "port of the wrong type": (BROKER + 'port = "8883"', "broker.port", "expected `int`"),
    "a group that can be guessed": (BROKER + 'share_group = "collectors"', "broker.share_group", "16,64"),
    "port out of range": (BROKER + "port = 70000", "broker.port", "<= 65535"),
    "path that is none": (BROKER.replace('"a"', "7"), "broker.ca", "path of a file"),
    "empty path": (BROKER.replace('"a"', '""'), "broker.ca", "path of a file"),
    "no opening key": ('[keys]\nreceipt_key = "a"\nopening_keys = []', "keys.opening_keys", "length >= 1"),
    "another database": ('[database]\nurl = "mysql://h/d"', "database.url", "sqlite:// or postgresql://"),
    "a database in memory": ('[database]\nurl = "sqlite://"', "database.url", "must name a file"),
    "no URL": ('[database]\nurl = "central.db"', "database.url", "sqlite:///FILE"),
    "impatience": ("[collector]\ngap_patience_s = 0", "collector.gap_patience_s", "> 0"),
    "what is no setting but a field": ('file = "x"', "file", "is no setting"),
}


@pytest.mark.parametrize(("text", "key", "right"), WRONG.values(), ids=WRONG.keys())
def test_every_error_names_file_key_and_what_would_be_right(text, key, right):
    with pytest.raises(SettingError) as caught:
        parse(text, HERE)
    assert (caught.value.file, caught.value.key) == (str(HERE), key)
    assert right in str(caught.value)


def test_collecting_needs_a_broker_and_keys():
    with pytest.raises(SettingError, match=r"\[broker\] must name host"):
        parse("", HERE).for_collecting()
    with pytest.raises(SettingError, match=r"\[keys\] must name receipt_key"):
        parse(BROKER, HERE).for_collecting()


def test_a_file_that_is_not_there_is_an_error_of_settings(tmp_path):
    with pytest.raises(SettingError, match="cannot be read"):
        load(tmp_path / "central.toml")
    (tmp_path / "central.toml").write_bytes(b"\xff")
    with pytest.raises(SettingError, match="UTF-8"):
        load(tmp_path / "central.toml")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('host = "0.0.0.0"', "console.host"),
        ('host = "192.0.2.1"', "console.host"),
        ('host = "console.example"', "console.host"),
        ('trusted_proxies = ["*"]', "console.trusted_proxies"),
        ('trusted_proxies = ["proxy.example"]', "console.trusted_proxies"),
        ('trusted_proxies = ["192.0.2.1/24"]', "console.trusted_proxies"),
        ('host = "0.0.0.0"\ncertificate = "c"\nkey = "k"', "console.origin"),
        ('certificate = "c"', "console.certificate"),
        ('key = "k"', "console.certificate"),
        ('origin = "http://console.example"', "console.origin"),
        ('origin = "http://localhost.evil.example"', "console.origin"),
        ('origin = "https://console.example/"', "console.origin"),
        ('origin = "http://127.0.0.1"\ncertificate = "c"\nkey = "k"', "console.origin"),
        ("port = 0", "console.port"),
        ("idle_min = 1", "console.idle_min"),
    ],
)
def test_a_console_that_would_be_seen_without_tls_or_from_anywhere_is_refused(text, key):
    with pytest.raises(SettingError) as caught:
        parse(f"[console]\n{text}", HERE)
    assert key in str(caught.value)


def test_a_console_is_served_to_this_machine_or_by_its_name_over_tls():
    assert parse("", HERE).console.origins == (
        "http://127.0.0.1:8470",
        "http://localhost:8470",
        "http://[::1]:8470",
    )
    text = '[console]\nhost = "::"\norigin = "https://console.example"\ncertificate = "c"\nkey = "k"'
    assert parse(text, HERE).console.origins == ("https://console.example",)
    assert parse('[console]\norigin = "https://console.example"', HERE).console.host == "127.0.0.1"
