"""The AsyncAPI document is one, and says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from edge.wire import topics
from edge.wire.asyncapi import document
from edge.wire.schema import FOLDER, TYPES

OFFICIAL = Path(__file__).parents[2] / "vectors" / "asyncapi-3.0.0.schema.json"

CHANNELS = {
    "stream": topics.stream_topic("{site}/{kiosk}", "{stream}"),
    "receipt": topics.receipt_topic("{site}/{kiosk}", "{stream}"),
    "status": topics.status_topic("{site}/{kiosk}"),
    "health": topics.health_topic("{site}/{kiosk}"),
    "resend": topics.command_topic("{site}/{kiosk}", "resend"),
    "command": topics.command_topic("{site}/{kiosk}", "{command}"),
    "reply": topics.reply_topic("{site}/{kiosk}", "{id}"),
    "desired": topics.desired_topic("{site}/{kiosk}"),
    "reported": topics.reported_topic("{site}/{kiosk}"),
    "renewalRequest": topics.renewal_request_topic("{site}/{kiosk}"),
    "renewalAnswer": topics.renewal_answer_topic("{site}/{kiosk}"),
}


def resolve(reference: str) -> object:
    """Return what a reference inside the document points at."""
    found = document()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(part: object) -> list[str]:
    """Return every `$ref` below a part of the document."""
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


def test_the_document_follows_the_official_schema() -> None:
    validator = jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(document())] == []


def test_the_official_schema_would_notice_a_mistake() -> None:
    validator = jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))
    wrong = document()
    wrong["operations"]["kioskTakesReceipt"]["action"] = "subscribe"
    assert not validator.is_valid(wrong)


def test_the_channels_are_the_topics_of_the_code() -> None:
    assert {name: channel["address"] for name, channel in document()["channels"].items()} == CHANNELS


@pytest.mark.parametrize("name", CHANNELS)
def test_each_channel_explains_exactly_the_parameters_of_its_address(name) -> None:
    channel = document()["channels"][name]
    assert set(channel["parameters"]) == set(re.findall(r"\{(\w+)\}", channel["address"]))


def test_each_channel_has_one_end_that_sends_and_one_that_receives() -> None:
    ends = [(operation["channel"]["$ref"], operation["action"]) for operation in document()["operations"].values()]
    assert sorted(ends) == sorted((f"#/channels/{name}", action) for name in CHANNELS for action in ("send", "receive"))


def test_everything_goes_with_qos_1_and_only_states_are_retained() -> None:
    bindings = {name: operation["bindings"]["mqtt"] for name, operation in document()["operations"].items()}
    assert {binding["qos"] for binding in bindings.values()} == {1}
    retained = {name for name, binding in bindings.items() if binding.get("retain")}
    states = {"centreSendsReceipt", "kioskAnnouncesItself", "centreDesiresSettings", "kioskReportsSettings"}
    assert retained == states


def test_every_reference_leads_somewhere() -> None:
    for reference in references(document()):
        if reference.startswith("#/"):
            assert resolve(reference)
        else:
            assert (FOLDER / reference).exists(), reference


def test_the_messages_refer_to_the_schemas_of_their_types() -> None:
    used = {Path(reference).stem for reference in references(document()) if not reference.startswith("#/")}
    assert used == {"batch", *CHANNELS} - {"stream", "renewalRequest", "renewalAnswer"} <= set(TYPES)
