"""The schemas describe the types, and the files beside the code are the schemas."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest

from edge.wire.meanings import MEANINGS, WHOLE
from edge.wire.schema import TYPES, files, schema


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_generated_file_is_current(path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "run: python -m edge.wire.schema"


def test_no_schema_file_is_left_over() -> None:
    made = files()
    folder = next(path.parent for path in made if path.parent.name == "schemas")
    assert sorted(folder.iterdir()) == sorted(path for path in made if path.parent == folder)


@pytest.mark.parametrize("name", TYPES)
def test_each_schema_is_valid_json_schema_2020_12(name) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_every_field_of_every_type_is_explained_and_nothing_else_is() -> None:
    _, parts = msgspec.json.schema_components(list(TYPES.values()))
    fields = {title: set(part["properties"]) for title, part in parts.items() if "properties" in part}
    assert {title: set(meanings) for title, meanings in MEANINGS.items()} == fields
    assert set(WHOLE) <= set(fields)


def test_every_object_says_what_it_is() -> None:
    for name in TYPES:
        made = schema(name)
        objects = [part for part in (made, *made.get("$defs", {}).values()) if part.get("type") == "object"]
        assert objects or name == "batch"
        assert all(part["description"] and "  " not in part["description"] for part in objects)


def test_a_reader_of_the_schema_must_let_unknown_fields_pass() -> None:
    receipt = {
        "kiosk": "utopia/lane-1", "stream": "crossing", "epoch": "e", "held_up_to": 0, "hash_at": "", "generation": "g",
        "at": "2026-01-01T00:00:00Z", "new_in_v1_some_day": 1,
    }  # fmt: skip
    jsonschema.validate(receipt, schema("receipt"))


@pytest.mark.parametrize(
    ("photo", "is_good"),
    [
        ({"absent": "off"}, True),
        ({"sha256": "0" * 64, "evidence_sequence": 1}, True),
        ({"sha256": "0" * 64}, False),
        ({"sha256": "0" * 64, "evidence_sequence": 0}, False),
        ({"sha256": "0" * 64, "evidence_sequence": 1, "absent": "off"}, False),
        ({}, False),
    ],
)
def test_a_photo_is_there_or_says_why_not(photo, is_good) -> None:
    photo_schema = schema("crossing")["$defs"]["Photo"]
    assert jsonschema.Draft202012Validator(photo_schema).is_valid(photo) is is_good
