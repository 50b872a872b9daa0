"""kiosk.toml: what is taken, and what a technician is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from msgspec import inspect

from edge.config import load, parse
from edge.errors import SettingError
from edge.setting_words import bare
from edge.settings import Settings
from hw.settings import PANEL_PARTS

LEAST = """
[kiosk]
site = "utopia"
name = "lane-1"

[[lanes]]
name = "left"

[store]
keep_receipted_h = 24

[keys]
record = "record.jwk"
opening = "opening.jwk"
receipt = ["receipt.jwk"]

[uplink]
host = "broker.example"
ca = "ca.pem"
certificate = "kiosk.pem"
key = "kiosk.key"
"""


def parsed(text: str = LEAST, **environment: str) -> Settings:
    """Parse a settings file that would lie in /etc/landfall."""
    return parse(text, file="kiosk.toml", folder=Path("/etc/landfall"), environment=environment)


def refusal(text: str) -> str:
    """Return the sentence with which a settings file is refused."""
    with pytest.raises(SettingError) as refused:
        parsed(text)
    return str(refused.value)


def with_line(section: str, line: str, text: str = LEAST) -> str:
    """Return the settings with a line more, or another one, in `[section]`; `lanes.policy` and the like are new."""
    key, header = line.partition(" ")[0], f"[[{section}]]" if section in ("lanes", "lanes.readers") else f"[{section}]"
    if header not in text:
        cut = text.index("[store]")
        return f"{text[:cut]}{header}\n{line}\n\n{text[cut:]}"
    before, _, rest = text.partition(f"{header}\n")
    own, gap, after = rest.partition("\n\n")
    kept = [old for old in own.splitlines() if old.partition(" ")[0] != key]
    return "\n".join([*before.splitlines(), header, *kept, line]) + gap + after


def reader(line: str) -> str:
    """Return settings with one good reader and a line more."""
    return with_line("lanes.readers", line, with_line("lanes.readers", 'name = "passport"\npath = "/dev/ttyUSB0"'))


def test_a_file_with_only_what_has_no_default_is_enough() -> None:
    settings = parsed()
    assert settings.lanes[0].policy.required == ("travel_document",)
    assert settings.lanes[0].policy.optional == ()
    assert settings.uplink.port == 8883


def test_relative_paths_are_taken_from_the_folder_of_the_file() -> None:
    settings = parsed()
    assert settings.resolve(settings.keys.record) == Path("/etc/landfall/record.jwk")
    assert settings.resolve("/var/lib/landfall/cache.db") == Path("/var/lib/landfall/cache.db")


def test_a_credential_is_taken_from_where_systemd_put_it() -> None:
    text = LEAST.replace('"record.jwk"', '"$CREDENTIALS_DIRECTORY/record.jwk"')
    text = text.replace('"kiosk.key"', '"$CREDENTIALS_DIRECTORY/kiosk.key"')
    settings = parsed(text, CREDENTIALS_DIRECTORY="/run/credentials/landfall-kiosk.service")
    assert settings.keys.record == "/run/credentials/landfall-kiosk.service/record.jwk"
    assert settings.uplink.key == "/run/credentials/landfall-kiosk.service/kiosk.key"
    assert settings.keys.opening == "opening.jwk"


NAMES = "1-32 lower case letters, digits and dashes"
SECONDS = "a number above 0, at most 3600"
PIN = "a gpiozero pin name such as GPIO17, or empty"
A_DAY = 'a day such as "2026-01-01"'
A_ZONE = 'a time zone such as "Pacific/Auckland"'
A_ZONE_KNOWN = 'a time zone that this machine knows (package tzdata), such as "Pacific/Auckland"'
FAMILIES = "one of auto, raw, barcode, honeywell, access-is, stx-etx, 3m-rte, elyctis"
CLASSES = "one of boarding_pass, driving_licence, seal, travel_document, visa"

WRONG = [
    (with_line("documents", "trust_list = 7"), "documents.trust_list must be the path of a file, or empty, got 7"),
    (with_line("documents", 'health = "yes"'), 'documents.health must be true or false, got "yes"'),
    (
        with_line("documents", 'trust_list = "{}"'),
        "documents.trust_list must be the path of a file, and not what stands in it",
    ),
    (reader("black_box = 1001"), "lanes[0].readers[0].black_box must be 0-1000, got 1001"),
    # each value that has the wrong type or is out of its range
    (with_line("kiosk", 'site = "Dover"'), f'kiosk.site must be {NAMES}, got "Dover"'),
    (with_line("kiosk", 'name = "lane 1"'), f'kiosk.name must be {NAMES}, got "lane 1"'),
    (with_line("kiosk", 'name = "lane-1\\n"'), f'kiosk.name must be {NAMES}, got "lane-1\\n"'),
    (with_line("kiosk", 'name = ""'), f'kiosk.name must be {NAMES}, got ""'),
    (with_line("lanes", "name = 7"), f"lanes[0].name must be {NAMES}, got 7"),
    (with_line("lanes", 'kind = "car"'), 'lanes[0].kind must be one of desk, self_service, got "car"'),
    (with_line("lanes", "scenario = 1"), "lanes[0].scenario must be text, got 1"),
    (
        with_line("lanes.policy", 'direction = "in"'),
        'lanes[0].policy.direction must be one of button, entry, exit, transit, got "in"',
    ),
    (
        with_line("lanes.policy", 'required = "visa"'),
        f'lanes[0].policy.required must be a list of 1 or more values, each {CLASSES}, got "visa"',
    ),
    (
        with_line("lanes.policy", "required = []"),
        f"lanes[0].policy.required must be a list of 1 or more values, each {CLASSES}, got a list of 0",
    ),
    (with_line("lanes.policy", 'required = ["pass"]'), f'lanes[0].policy.required[0] must be {CLASSES}, got "pass"'),
    (
        with_line("lanes.policy", 'optional = ["visa", "x"]'),
        f'lanes[0].policy.optional[1] must be {CLASSES}, got "x"',
    ),
    (with_line("lanes.policy", "photo = true"), "lanes[0].policy.photo must be one of off, wanted, got true"),
    (with_line("lanes.policy", 'decision = ""'), 'lanes[0].policy.decision must be one of officer, rules, got ""'),
    (with_line("lanes.policy", "specimens = 1"), "lanes[0].policy.specimens must be one of accept, refer, got 1"),
    (
        with_line("lanes.policy", "group_idle_s = 0"),
        "lanes[0].policy.group_idle_s must be a number above 0, at most 86400, got 0",
    ),
    (with_line("lanes.policy", 'training = "yes"'), 'lanes[0].policy.training must be true or false, got "yes"'),
    *(
        (with_line("lanes.policy", f"{key} = {value}"), f"lanes[0].policy.{key} must be {SECONDS}, got {shown}")
        for key in (
            "collect_s",
            "optional_s",
            "officer_s",
            "record_s",
            "show_s",
            "refer_s",
            "repeat_s",
            "manual_s",
            "amend_s",
        )
        for value, shown in (("0", "0"), ("3601", "3601"), ("nan", "nan"), ("-1", "-1"), ('"2"', '"2"'))
    ),
    (reader('name = ""'), f'lanes[0].readers[0].name must be {NAMES}, got ""'),
    (
        reader('driver = "usb"'),
        'lanes[0].readers[0].driver must be one of hid, page_camera, serial, simulated, simulated-hid, got "usb"',
    ),
    (reader('kind = "chip"'), 'lanes[0].readers[0].kind must be one of barcode, document, got "chip"'),
    (reader("path = 0"), "lanes[0].readers[0].path must be text, got 0"),
    (reader("baud = 200"), "lanes[0].readers[0].baud must be 300-4000000, got 200"),
    (reader("baud = 9600.5"), "lanes[0].readers[0].baud must be 300-4000000, got 9600.5"),
    (reader('framing = "none"'), f'lanes[0].readers[0].framing must be {FAMILIES}, got "none"'),
    (reader('layout = "x"'), 'lanes[0].readers[0].layout must be one of us, gb, de, fr, got "x"'),
    (reader("idle_gap_s = 6"), "lanes[0].readers[0].idle_gap_s must be a number above 0, at most 5, got 6"),
    (
        reader('substitutes = "a b"'),
        'lanes[0].readers[0].substitutes must be up to 8 printable ASCII characters, got "a b"',
    ),
    (reader("check_bcc = 1"), "lanes[0].readers[0].check_bcc must be true or false, got 1"),
    (with_line("lanes.camera", 'name = "A"'), f'lanes[0].camera.name must be {NAMES}, got "A"'),
    (
        with_line("lanes.camera", 'driver = "usb"'),
        'lanes[0].camera.driver must be one of none, picamera2, simulated, got "usb"',
    ),
    (with_line("lanes.camera", "python = 3"), "lanes[0].camera.python must be text, got 3"),
    (with_line("lanes.camera", "width = 100"), "lanes[0].camera.width must be 160-4608, got 100"),
    (with_line("lanes.camera", "height = 5000"), "lanes[0].camera.height must be 120-3456, got 5000"),
    (with_line("lanes.camera", "quality = 0"), "lanes[0].camera.quality must be 1-95, got 0"),
    (with_line("lanes.camera", "number = 16"), "lanes[0].camera.number must be 0-15, got 16"),
    (with_line("lanes.camera", "photo_kb = 5"), "lanes[0].camera.photo_kb must be 10-500, got 5"),
    (with_line("lanes.camera", 'check = "no"'), 'lanes[0].camera.check must be true or false, got "no"'),
    (with_line("lanes.camera", "retakes = 3"), "lanes[0].camera.retakes must be 0-2, got 3"),
    (
        with_line("lanes.camera", "retake_pause_s = 0"),
        "lanes[0].camera.retake_pause_s must be a number above 0, at most 10, got 0",
    ),
    (
        with_line("lanes.camera", "capture_s = 0"),
        "lanes[0].camera.capture_s must be a number above 0, at most 3600, got 0",
    ),
    (with_line("lanes.camera", "deadline_s = 0"), f"lanes[0].camera.deadline_s must be {SECONDS}, got 0"),
    (with_line("lanes.panel", 'name = "a_b"'), f'lanes[0].panel.name must be {NAMES}, got "a_b"'),
    (
        with_line("lanes.panel", 'driver = "led"'),
        'lanes[0].panel.driver must be one of gpiozero, none, simulated, got "led"',
    ),
    *(
        (with_line("lanes.panel", f"{part} = {value}"), f"lanes[0].panel.{part} must be {PIN}, got {value}")
        for part in PANEL_PARTS
        for value in ('"PIN17"', "17")
    ),
    *(
        (with_line("lanes.panel", f"{key} = 0"), f"lanes[0].panel.{key} must be {SECONDS}, got 0")
        for key in ("door_pass_s", "door_open_s")
    ),
    (
        with_line("lanes.panel", "gate_pulse_s = 11"),
        "lanes[0].panel.gate_pulse_s must be a number above 0, at most 10, got 11",
    ),
    (
        with_line("lanes.panel", "debounce_s = 2"),
        "lanes[0].panel.debounce_s must be a number above 0, at most 1, got 2",
    ),
    (with_line("kiosk", 'tamper = "burn"'), 'kiosk.tamper must be one of drop_key, report, got "burn"'),
    (with_line("power", 'lost = "PIN17"'), f'power.lost must be {PIN}, got "PIN17"'),
    (with_line("power", 'lost_is = "up"'), 'power.lost_is must be one of high, low, got "up"'),
    (with_line("power", "debounce_s = 2"), "power.debounce_s must be a number above 0, at most 1, got 2"),
    (with_line("power", "stop_after_s = -1"), "power.stop_after_s must be a number from 0 to 3600, got -1"),
    (
        with_line("power", 'lost = "BOARD11"', with_line("lanes.panel", 'driver = "gpiozero"')),
        "lanes[0].panel.green must not be GPIO17, which power.lost has",
    ),
    (
        with_line("lanes.panel", 'driver = "gpiozero"\ndoor = "BOARD11"'),
        "lanes[0].panel.door must not be BOARD11, which lanes[0].panel.green has",
    ),
    (with_line("store", 'path = ""'), 'store.path must be the path of a file, got ""'),
    *(
        (
            with_line("store", f"keep_receipted_h = {value}"),
            f"store.keep_receipted_h must be a number from 0 to 8784, got {value}",
        )
        for value in ("-1", "9000", "nan", "inf", "true")
    ),
    (
        with_line("store", "photos_stop_below_mb = 16"),
        "store.photos_stop_below_mb must be 17-10000000, got 16",
    ),
    (with_line("store", "reserve_mb = 0"), "store.reserve_mb must be 16-1000000, got 0"),
    (with_line("keys", "record = 1"), "keys.record must be the path of a file, got 1"),
    (with_line("keys", 'opening = ""'), 'keys.opening must be the path of a file, got ""'),
    (
        with_line("keys", 'receipt = "receipt.jwk"'),
        'keys.receipt must be a list of 1 or more values, each the path of a file, got "receipt.jwk"',
    ),
    (with_line("keys", 'receipt = [""]'), 'keys.receipt[0] must be the path of a file, got ""'),
    (with_line("uplink", 'host = ""'), 'uplink.host must be a host name or an address, got ""'),
    (
        with_line("uplink", 'host = "mqtts://broker.example"'),
        'uplink.host must be a host name or an address, got "mqtts://broker.example"',
    ),
    (with_line("uplink", "port = 99999"), "uplink.port must be 1-65535, got 99999"),
    (with_line("uplink", 'port = "8883"'), 'uplink.port must be 1-65535, got "8883"'),
    (with_line("uplink", 'ca = ""'), 'uplink.ca must be the path of a file, got ""'),
    (with_line("uplink", "certificate = []"), "uplink.certificate must be the path of a file, got a list of 0"),
    (with_line("uplink", "key = {}"), "uplink.key must be the path of a file, got a table"),
    (with_line("uplink", "keepalive_s = 4"), "uplink.keepalive_s must be 5-3600, got 4"),
    *(
        (with_line("uplink", f"{key} = 0"), f"uplink.{key} must be {SECONDS}, got 0")
        for key in ("connect_timeout_s", "retry_least_s", "retry_most_s", "receipt_timeout_s", "health_s")
    ),
    (with_line("clock", "rtc = 0"), "clock.rtc must be true or false, got 0"),
    (with_line("clock", "not_before = 2026-01-01"), f"clock.not_before must be {A_DAY}, got 2026-01-01"),
    (with_line("clock", 'not_before = "1.1.2026"'), f'clock.not_before must be {A_DAY}, got "1.1.2026"'),
    (with_line("clock", 'time_zone = "Europe"'), f'clock.time_zone must be {A_ZONE_KNOWN}, got "Europe"'),
    (with_line("clock", 'time_zone = "Utopia/Port"'), f'clock.time_zone must be {A_ZONE_KNOWN}, got "Utopia/Port"'),
    (with_line("clock", 'time_zone = "../etc"'), f'clock.time_zone must be {A_ZONE}, got "../etc"'),
    (with_line("control", 'socket = ""'), 'control.socket must be the path of a file, got ""'),
    # what is missing, and what is too much
    (LEAST.replace('site = "utopia"', ""), f"kiosk.site is missing; it must be {NAMES}"),
    (
        LEAST.replace("keep_receipted_h = 24", ""),
        "store.keep_receipted_h is missing; it must be a number from 0 to 8784",
    ),
    (LEAST.replace("[uplink]", "[broker]"), "broker is not a setting; README.md lists every setting"),
    (LEAST[: LEAST.index("[uplink]")], "uplink is missing; it must be a table"),
    (LEAST.replace('[[lanes]]\nname = "left"', ""), "lanes is missing; it must be a list of 1 to 2 tables"),
    (LEAST.replace("[[lanes]]", "[lanes]"), "lanes must be a list of 1 to 2 tables, got a table"),
    (
        LEAST + '\n[[lanes]]\nname = "b"\n[[lanes]]\nname = "c"',
        "lanes must be a list of 1 to 2 tables, got a list of 3",
    ),
    (with_line("uplink", "prot = 1"), "uplink.prot is not a setting; did you mean port?"),
    (with_line("kiosk", "colour = 1"), "kiosk.colour is not a setting; README.md lists every setting"),
    (with_line("kiosk", '"a b" = 1'), "kiosk.a b is not a setting; README.md lists every setting"),
    ('folder = "/x"\n' + LEAST, "folder is not a setting"),
    # what each key alone cannot show
    (
        with_line("lanes.policy", 'photo = "wanted"'),
        "lanes[0].camera.driver must name a camera, because policy.photo is wanted",
    ),
    (
        with_line("lanes.policy", 'decision = "officer"'),
        "lanes[0].panel must have the buttons accept and refer, because policy.decision is officer",
    ),
    (
        with_line("lanes.policy", 'direction = "button"'),
        "lanes[0].panel must have the button direction, because policy.direction is button",
    ),
    (
        with_line("lanes.policy", 'optional = ["travel_document"]'),
        "lanes[0].policy.optional must not repeat what is required: travel_document",
    ),
    (
        with_line("lanes.readers", 'name = "passport"'),
        "lanes[0].readers[0].path is missing; it must be a device such as /dev/serial/by-id/usb-...",
    ),
    (
        with_line("lanes.readers", 'name = "passport"\ndriver = "hid"'),
        "lanes[0].readers[0].path is missing; it must be a device such as /dev/input/by-id/usb-...",
    ),
    (
        reader('name = "left"'),
        "lanes[0].readers[0].name must differ from lanes[0].name: each device and lane has a name of its own",
    ),
    (
        LEAST + '\n[[lanes]]\nname = "left"',
        "lanes[1].name must differ from lanes[0].name: each device and lane has a name of its own",
    ),
    (
        with_line("lanes.panel", 'driver = "gpiozero"\namber = "17"'),
        "lanes[0].panel.amber must not be 17, which lanes[0].panel.green has",
    ),
    (
        with_line("lanes.panel", 'driver = "gpiozero"')
        + '\n[[lanes]]\nname = "b"\npanel = {name = "q", driver = "gpiozero"}',
        "lanes[1].panel.green must not be GPIO17, which lanes[0].panel.green has",
    ),
    (
        with_line("store", "reserve_mb = 512"),
        "store.photos_stop_below_mb must be above store.reserve_mb, got 512",
    ),
    (
        with_line("uplink", "retry_least_s = 200"),
        "uplink.retry_least_s must not be above uplink.retry_most_s, got 200",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG, ids=[sentence.partition(",")[0] for _, sentence in WRONG])
def test_a_wrong_setting_is_named_with_what_would_be_right(text, sentence) -> None:
    tomllib.loads(text)
    assert refusal(text) == f"kiosk.toml: {sentence}"


def keys_of(kind: inspect.Type) -> set[str]:
    """Return the names of every setting below a type."""
    whole = bare(kind)
    if isinstance(whole, inspect.ListType):
        return keys_of(whole.item_type)
    if not isinstance(whole, inspect.StructType):
        return set()
    return {field.encode_name for field in whole.fields} | {name for f in whole.fields for name in keys_of(f.type)}


def test_the_table_above_has_every_setting_wrong_once() -> None:
    tried = {part.partition("[")[0] for _, sentence in WRONG for part in sentence.partition(" ")[0].split(".")}
    assert keys_of(inspect.type_info(Settings)) <= tried


@pytest.mark.parametrize(
    "secret", ['{"kty":"OKP","crv":"Ed25519","d":"nWGxne"}', "-----BEGIN PRIVATE KEY-----\nnWGxne\n-----END"]
)
@pytest.mark.parametrize("key", ["record", "key"])
def test_a_key_that_was_pasted_in_place_of_its_path_is_not_shown(secret, key) -> None:
    section = "keys" if key == "record" else "uplink"
    text = with_line(section, f"{key} = '''{secret}'''")
    assert refusal(text) == f"kiosk.toml: {section}.{key} must be the path of a file, and not what stands in it"


def test_an_error_has_file_key_and_remedy_as_attributes() -> None:
    with pytest.raises(SettingError) as refused:
        parsed(with_line("uplink", "port = 0"))
    assert (refused.value.file, refused.value.key, refused.value.right) == (
        "kiosk.toml", "uplink.port", "must be 1-65535",
    )  # fmt: skip


def test_a_long_value_is_shown_shortened() -> None:
    sentence = refusal(with_line("kiosk", f'site = "{"X" * 1000}"'))
    assert len(sentence) < 160 and sentence.endswith("...")


@pytest.mark.parametrize("part", PANEL_PARTS)
def test_a_part_of_the_panel_that_is_not_fitted_has_an_empty_pin(tmp_path, part) -> None:
    (tmp_path / "kiosk.toml").write_text(with_line("lanes.panel", f'{part} = ""'), encoding="utf-8")
    assert getattr(load(tmp_path / "kiosk.toml").lanes[0].panel, part) == ""


def test_an_empty_trust_list_is_none() -> None:
    assert parsed(with_line("documents", 'trust_list = ""')).documents.trust_list == ""


def test_two_simulated_panels_have_pins_of_their_own() -> None:
    panels = ('panel = {name = "p", driver = "simulated"}', 'panel = {name = "q", driver = "simulated"}')
    text = with_line("lanes", panels[0]) + f'\n[[lanes]]\nname = "right"\n{panels[1]}'
    assert [lane.panel.name for lane in parsed(text).lanes] == ["p", "q"]


def test_what_is_no_toml_is_refused_with_its_line() -> None:
    assert refusal("[kiosk\n").startswith("kiosk.toml: is not TOML: ") and "line 1" in refusal("[kiosk\n")


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(SettingError, match=r"kiosk\.toml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "kiosk.toml")


def test_a_file_in_another_encoding_is_refused(tmp_path) -> None:
    (tmp_path / "kiosk.toml").write_bytes("# Grüße\n".encode("latin-1"))
    with pytest.raises(SettingError, match="must be UTF-8 text"):
        load(tmp_path / "kiosk.toml")


def test_a_file_is_loaded_with_its_folder(tmp_path) -> None:
    (tmp_path / "kiosk.toml").write_text(LEAST, encoding="utf-8")
    settings = load(tmp_path / "kiosk.toml")
    assert settings.resolve(settings.store.path) == tmp_path / "cache.db"
