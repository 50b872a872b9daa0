"""What may be set from afar."""

from __future__ import annotations

import pytest

from edge.config import load
from edge.errors import SettingError
from edge.settings import Settings
from tests.edge.test_credentials import provisioned


@pytest.fixture
def kiosk(tmp_path):
    """Return what loads the settings with others on top."""
    provisioned(tmp_path)

    def with_overlay(overlay: dict) -> Settings:
        return load(tmp_path / "kiosk.toml", {}, overlay)

    return with_overlay


def test_settings_from_afar_take_the_place_of_the_files_own_and_leave_the_rest(kiosk) -> None:
    settings = kiosk({"uplink": {"port": 8884}, "lanes": {"left": {"policy": {"show_s": 3.0}}}})
    assert (settings.uplink.port, settings.uplink.host) == (8884, "localhost")
    assert (settings.lanes[0].policy.show_s, settings.lanes[0].policy.refer_s) == (3.0, 10.0)
    assert kiosk({}) == kiosk({"uplink": {}})


@pytest.mark.parametrize(
    ("overlay", "key"),
    [
        ({"kiosk": {"name": "other"}}, "kiosk"),
        ({"keys": {"record": "/tmp/key"}}, "keys"),
        ({"control": {"socket": "x"}}, "control"),
        ({"uplink": {"ca": "x"}}, "uplink.ca"),
        ({"uplink": {"key": "x"}}, "uplink.key"),
        ({"store": {"path": "x"}}, "store.path"),
        ({"store": {"reserve_mb": 16}}, "store.reserve_mb"),
        ({"lanes": {"left": {"policy": {"training": True}}}}, "lanes.left.policy.training"),
        ({"lanes": {"left": {"policy": {"specimens": "accept"}}}}, "lanes.left.policy.specimens"),
        ({"lanes": {"left": {"readers": []}}}, "lanes.left"),
        ({"lanes": {"right": {"policy": {}}}}, "lanes.right"),
        ({"lanes": []}, "lanes"),
        ({"lanes": {"left": 1}}, "lanes.left"),
        ({"uplink": 1}, "uplink"),
        ({"folder": "/"}, "folder"),
        ({"": {}}, ""),
    ],
)
def test_what_is_not_on_the_list_is_refused_by_its_name(kiosk, overlay, key) -> None:
    with pytest.raises(SettingError) as refused:
        kiosk(overlay)
    assert refused.value.key == key


@pytest.mark.parametrize("port", [0, 99999, "8883", None, [], True])
def test_a_value_out_of_its_range_is_refused_as_in_the_file(kiosk, port) -> None:
    with pytest.raises(SettingError, match=r"uplink\.port"):
        kiosk({"uplink": {"port": port}})


def test_two_settings_that_contradict_each_other_are_refused(kiosk) -> None:
    with pytest.raises(SettingError, match="retry_least_s must not be above"):
        kiosk({"uplink": {"retry_least_s": 500.0}})
