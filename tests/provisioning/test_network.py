import configparser

import pytest

from edge.errors import ProvisioningError
from provisioning.network import fixed, lte, wifi


def parsed(keyfile):
    parser = configparser.RawConfigParser(delimiters="=")
    parser.read_string(keyfile[1].decode())
    return {section: dict(parser[section]) for section in parser.sections()}


def test_a_wifi_is_written_with_its_name_as_bytes_and_its_password():
    found = parsed(wifi("Ferry; é", "correct horse"))
    assert bytes(int(octet) for octet in found["wifi"]["ssid"].split(";") if octet).decode() == "Ferry; é"
    assert found["wifi-security"] == {"key-mgmt": "wpa-psk", "psk": "correct horse"}
    assert found["connection"]["type"] == "wifi"


def test_an_open_wifi_has_no_security():
    assert "wifi-security" not in parsed(wifi("Port", ""))


def test_the_same_connection_keeps_its_id_so_that_a_new_bundle_replaces_it():
    assert parsed(wifi("a", ""))["connection"]["uuid"] == parsed(wifi("b", ""))["connection"]["uuid"]
    assert parsed(wifi("a", ""))["connection"]["uuid"] != parsed(lte("internet"))["connection"]["uuid"]


def test_the_posts_own_connection_goes_before_what_the_system_brings():
    assert int(parsed(fixed("192.0.2.7/24", "192.0.2.1", []))["connection"]["autoconnect-priority"]) > 0


def test_a_sim_is_written_with_what_it_needs_and_nothing_empty():
    assert parsed(lte("internet.example", pin="1234"))["gsm"] == {"apn": "internet.example", "pin": "1234"}


@pytest.mark.parametrize(
    ("address", "gateway", "family", "other"),
    [("192.0.2.7/24", "192.0.2.1", "ipv4", "ipv6"), ("2001:db8::7/64", "2001:db8::1", "ipv6", "ipv4")],
)
def test_a_fixed_address_is_of_one_family_and_the_other_is_off(address, gateway, family, other):
    found = parsed(fixed(address, gateway, [gateway]))
    assert found[family] == {"method": "manual", "address1": f"{address},{gateway}", "dns": f"{gateway};"}
    assert found[other] == {"method": "disabled"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: wifi("", "correct horse"),
        lambda: wifi("x" * 33, "correct horse"),
        lambda: wifi("x", "short"),
        lambda: wifi("x", "correct horse\n[ipv4]"),
        lambda: lte("a b"),
        lambda: lte("internet\n[ipv4]"),
        lambda: lte("internet", user="a\nb=c"),
        lambda: lte("internet", pin="12a4"),
        lambda: fixed("192.0.2.7", "192.0.2.1", []),
        lambda: fixed("192.0.2.7/24", "198.51.100.1", []),
        lambda: fixed("192.0.2.7/24", "2001:db8::1", []),
        lambda: fixed("192.0.2.7/24", "192.0.2.1", ["dns"]),
    ],
)
def test_what_no_network_has_is_refused(make):
    with pytest.raises(ProvisioningError):
        make()


@pytest.mark.parametrize("password", [" leading", "trailing ", "back\\slash\\s", "a;b#c=d[e]"])
def test_a_password_with_anything_in_it_comes_back_as_glib_reads_it(password):
    text = parsed(wifi("x", password))["wifi-security"]["psk"]
    assert text.replace("\\\\", "\0").replace("\\s", " ").replace("\0", "\\") == password
