"""What a kiosk begins with: the centre's defaults, and on top what its post has otherwise, key by key."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from edge.errors import SettingError
from provisioning import first_settings as module
from provisioning.first_settings import PostFile, first_settings, zone_here

KIOSK, BROKER = "dm-roseau/ferry-01", ("broker.example.org", 8883)
LANES = '[[lanes]]\nname = "pier"\nreaders = [{ name = "passport", path = "/dev/ttyACM0" }]\n'


def text_with(post: str) -> str:
    return first_settings(KIOSK, BROKER, "trust_list.json", PostFile(post, "pier-2.toml"))


def settings_with(post: str) -> dict[str, Any]:
    return tomllib.loads(text_with(post))


def test_a_post_without_a_file_of_its_own_has_the_centres_defaults():
    found = tomllib.loads(first_settings(KIOSK, BROKER))
    assert found["kiosk"] == {"site": "dm-roseau", "name": "ferry-01"}
    assert (found["uplink"]["host"], found["uplink"]["port"]) == BROKER
    assert [lane["name"] for lane in found["lanes"]] == ["lane-1"]
    assert "documents" not in found
    assert settings_with("") == tomllib.loads(first_settings(KIOSK, BROKER, "trust_list.json"))


def test_documents_expire_by_the_date_in_the_zone_that_is_given_unless_the_post_says_another():
    zone = {"time_zone": "America/Dominica"}
    assert tomllib.loads(first_settings(KIOSK, BROKER, **zone))["clock"] == zone
    elsewhere = PostFile('[clock]\ntime_zone = "America/Nassau"\n', "pier-2.toml")
    found = tomllib.loads(first_settings(KIOSK, BROKER, "", elsewhere, **zone))
    assert found["clock"]["time_zone"] == "America/Nassau"
    with pytest.raises(SettingError, match=r"kiosk\.toml: clock\.time_zone must be a time zone"):
        first_settings(KIOSK, BROKER, time_zone="America/Roseau")


@pytest.mark.parametrize(
    ("link", "zone"),
    [
        ("/usr/share/zoneinfo/America/Dominica", "America/Dominica"),
        ("../usr/share/zoneinfo/America/Nassau", "America/Nassau"),
        ("/usr/share/zoneinfo/Etc/UTC", "UTC"),
        ("/somewhere/else", "UTC"),
        (None, "UTC"),
    ],
)
def test_the_zone_of_this_machine_is_where_its_link_points(link, zone, tmp_path, monkeypatch):
    localtime = tmp_path / "localtime"
    if link is not None:
        localtime.symlink_to(link)
    monkeypatch.setattr(module, "_LOCALTIME", localtime)
    assert zone_here() == zone


@pytest.mark.parametrize(
    "post",
    [
        '[uplink]\nhost = "192.0.2.7"\nport = 443\n',
        'uplink = { host = "192.0.2.7", port = 443 }\n',
        f'uplink.host = "192.0.2.7"\nuplink.port = 443\n{LANES}',
        f'{LANES}\n[ uplink ]\nhost = "192.0.2.7"\nport = 443\n',
    ],
    ids=["table", "inline", "dotted", "after the lanes"],
)
def test_a_post_that_reaches_the_broker_otherwise_says_that_and_nothing_else(post):
    uplink = settings_with(post)["uplink"]
    assert uplink == settings_with("")["uplink"] | {"host": "192.0.2.7", "port": 443}


def test_what_a_file_says_of_a_section_leaves_the_rest_of_the_section_as_it_is():
    found = settings_with("[store]\nkeep_receipted_h = 96\n[documents]\nhealth = true\n[clock]\nrtc = true\n")
    assert found["store"] == {"path": "/var/lib/landfall/cache.db", "keep_receipted_h": 96}
    assert found["documents"] == {"trust_list": "trust_list.json", "health": True}
    assert found["clock"] == {"time_zone": "UTC", "rtc": True}


def test_lanes_take_the_place_of_the_one_lane_of_every_kiosk():
    found = settings_with(LANES)
    assert [(lane["name"], lane["readers"][0]["path"]) for lane in found["lanes"]] == [("pier", "/dev/ttyACM0")]


def test_the_technician_at_the_post_reads_what_the_office_noted_beside_a_setting():
    assert "port = 443  # the port's firewall lets nothing else out" in text_with(
        "[uplink]\nport = 443  # the port's firewall lets nothing else out\n"
    )


@pytest.mark.parametrize(
    ("post", "told"),
    [
        ('[kiosk]\nsite = "fr-calais"\n', "pier-2.toml: kiosk.site must be 'dm-roseau', or left out, got fr-calais"),
        ('[keys]\nrecord = "mine.json"\n', "pier-2.toml: keys.record must be"),
        ('[uplink]\nkey = "mine.key"\n', "pier-2.toml: uplink.key must be"),
        ("[uplink]\nport = 70000\n", "pier-2.toml: uplink.port must be 1-65535, got 70000"),
        ("[uplnk]\nport = 1\n", "pier-2.toml: uplnk is not a setting"),
        ("uplink = 3\n", "pier-2.toml: uplink must be a table"),
        ("[[uplink]]\nport = 3\n", "pier-2.toml: uplink must be a table"),
        ("lanes = 3\n", "pier-2.toml: lanes must be a list"),
        ("[uplink\n", "pier-2.toml: is not TOML: "),
        ("[store]\n[store]\n", "pier-2.toml: is not TOML: "),
        ("\0", "pier-2.toml: is not TOML: "),
    ],
)
def test_what_the_kiosk_would_refuse_is_told_with_the_files_name_and_key(post, told):
    with pytest.raises(SettingError) as raised:
        text_with(post)
    assert str(raised.value).startswith(told)


def test_a_copy_of_the_kiosks_own_settings_says_nothing_wrong():
    whole = first_settings(KIOSK, BROKER, "trust_list.json")
    assert settings_with(whole) == tomllib.loads(whole)
