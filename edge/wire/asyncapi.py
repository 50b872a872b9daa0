"""The AsyncAPI 3.0 document of the contract: channels, messages and who sends what, made from the code.

Owns how the wire is described to people and tools outside; `python -m edge.wire.schema` writes `asyncapi.json`. Always
true: addresses come from `edge.wire.topics`, content types from the modules that send them; what v1 reserves and nobody
sends yet is not in here.
"""

from __future__ import annotations

from typing import Any

from edge.wire import commands, messages
from edge.wire.record import BATCH_CONTENT_TYPE, LETTER_CONTENT_TYPE, MAX_BATCH_BYTES
from edge.wire.topics import (
    NAME,
    Stream,
    command_topic,
    desired_topic,
    health_topic,
    receipt_topic,
    renewal_answer_topic,
    renewal_request_topic,
    reply_topic,
    reported_topic,
    status_topic,
    stream_topic,
)

_KIOSK = "{site}/{kiosk}"
_JSON_SCHEMA = "application/schema+json;version=draft-2020-12"
_BINDING = "0.2.0"

_PARAMETERS: dict[str, dict[str, Any]] = {
    "site": {"description": f"Name of the border post, `{NAME.pattern}`.", "examples": ["utopia"]},
    "kiosk": {"description": f"Name of the kiosk at its post, `{NAME.pattern}`.", "examples": ["lane-1"]},
    "stream": {"description": "Name of a stream.", "enum": [stream.value for stream in Stream]},
    "command": {"description": "What is asked.", "enum": [name.value for name in commands.CommandName]},
    "id": {"description": "Id of the command, or of the desired settings, that is answered (UUIDv7)."},
}


def document() -> dict[str, Any]:
    """Return the document as JSON values."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:landfall:v1",
        "info": {
            "title": "Landfall, kiosk and centre",
            "version": "1",
            "description": (
                "How a border-post kiosk hands its records to the centre and learns that they are held. MQTT 5, QoS 1. "
                "Letters are sealed to the centre (JWE), envelopes and messages are signed (JWS, Ed25519), and only a "
                "signed receipt releases a record on the kiosk; PUBACK does not."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": LETTER_CONTENT_TYPE,
        "servers": {"broker": _broker()},
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": _messages(),
            "parameters": _PARAMETERS,
            "securitySchemes": {
                "mutualTls": {
                    "type": "X509",
                    "description": "TLS 1.2 or newer; the client certificate's common name is `<site>/<kiosk>`.",
                }
            },
        },
    }


def _broker() -> dict[str, Any]:
    return {
        "host": "broker.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5",
        "description": "The broker at the centre. Each kiosk may write and read its own branch alone.",
        "security": [{"$ref": "#/components/securitySchemes/mutualTls"}],
        "bindings": {
            "mqtt": {
                "clientId": "<site>/<kiosk>",
                "cleanSession": True,
                "lastWill": {
                    "topic": status_topic("<site>/<kiosk>"),
                    "qos": 1,
                    "retain": True,
                    "message": "A signed status whose state is offline.",
                },
                "keepAlive": 30,
                "sessionExpiryInterval": 0,
                "bindingVersion": _BINDING,
            }
        },
    }


def _channels() -> dict[str, Any]:
    """Return every topic, with the message that goes over it."""
    return {
        "stream": _channel(stream_topic(_KIOSK, "{stream}"), "batch", "Records of one stream, in order."),
        "receipt": _channel(receipt_topic(_KIOSK, "{stream}"), "receipt", "How far the centre holds one stream."),
        "status": _channel(status_topic(_KIOSK), "status", "A kiosk's birth and death."),
        "health": _channel(health_topic(_KIOSK), "health", "Figures of a kiosk."),
        "resend": _channel(command_topic(_KIOSK, "resend"), "resend", "The centre asks for records again."),
        "command": _channel(command_topic(_KIOSK, "{command}"), "command", "The centre asks one kiosk for a deed."),
        "reply": _channel(reply_topic(_KIOSK, "{id}"), "reply", "What came of it."),
        "desired": _channel(desired_topic(_KIOSK), "desired", "Settings that the centre wants in force."),
        "reported": _channel(reported_topic(_KIOSK), "reported", "Settings that a kiosk runs with."),
        "renewalRequest": _channel(
            renewal_request_topic(_KIOSK), "renewalRequest", "A kiosk asks for a new certificate."
        ),
        "renewalAnswer": _channel(renewal_answer_topic(_KIOSK), "renewalAnswer", "What it gets."),
    }


def _operations() -> dict[str, Any]:
    """Return who sends and who receives what, and what for."""
    return {
        "kioskPublishesRecords": _operation(
            "send",
            "stream",
            "Publish the next stored records, untouched, after the last that was receipted; go back to the receipt "
            "when receipts stand still or the connection was lost.",
        ),
        "centreTakesRecords": _operation(
            "receive", "stream", "Verify, open and commit each record, and only then acknowledge the PUBLISH."
        ),
        "centreSendsReceipt": _operation(
            "send", "receipt", "Say, signed, up to where the stream is held, also for duplicates.", retain=True
        ),
        "kioskTakesReceipt": _operation(
            "receive", "receipt", "Release up to there, if the own record at that position has the same hash."
        ),
        "kioskAnnouncesItself": _operation(
            "send", "status", "Say who is online, with the head of every stream; retained.", retain=True
        ),
        "centreTakesStatus": _operation("receive", "status", "Compare the heads with what is held."),
        "kioskReportsHealth": _operation(
            "send", "health", "Publish figures every 30 s, and at once when a device comes or goes."
        ),
        "centreTakesHealth": _operation("receive", "health", "Show the figures of the fleet."),
        "centreAsksAgain": _operation("send", "resend", "Ask for a stream again from a position."),
        "kioskFollowsResend": _operation("receive", "resend", "Send the stream again from there."),
        "centreCommands": _operation("send", "command", "Ask, again and again until a reply comes or it expires."),
        "kioskFollowsCommand": _operation(
            "receive", "command", "Follow it once, if it is signed, for this kiosk, not expired and new."
        ),
        "kioskReplies": _operation("send", "reply", "Say what came of it, also to one that came twice."),
        "centreTakesReply": _operation("receive", "reply", "Keep the answer beside the command."),
        "centreDesiresSettings": _operation("send", "desired", "Say which settings shall be in force.", retain=True),
        "kioskTriesSettings": _operation(
            "receive", "desired", "Check them, try them, and go back if the centre is out of reach with them."
        ),
        "kioskReportsSettings": _operation("send", "reported", "Say which settings are in force.", retain=True),
        "centreTakesReported": _operation("receive", "reported", "Compare with what was desired."),
        "kioskAsksForRenewal": _operation(
            "send", "renewalRequest", "Ask with both keys, where the enrolment server cannot be reached by HTTPS."
        ),
        "centreTakesRenewal": _operation(
            "receive", "renewalRequest", "Judge it as over HTTPS; the name is also that of the topic."
        ),
        "centreAnswersRenewal": _operation("send", "renewalAnswer", "Answer as over HTTPS."),
        "kioskTakesRenewal": _operation(
            "receive", "renewalAnswer", "Believe it only if the root stands behind who signed it."
        ),
    }


def _messages() -> dict[str, Any]:
    """Return the form of every message."""
    return {
        "batch": {
            "title": "Batch of records",
            "summary": f"CloudEvents 1.0 JSON batch, at most {MAX_BATCH_BYTES} bytes.",
            "contentType": BATCH_CONTENT_TYPE,
            "payload": {"schemaFormat": _JSON_SCHEMA, "schema": {"$ref": "./schemas/batch.json"}},
            "bindings": {"mqtt": {"bindingVersion": _BINDING}},
        },
        "receipt": _signed("receipt", "Receipt", messages.RECEIPT_TYP),
        "status": _signed("status", "Status", messages.STATUS_TYP),
        "health": _signed("health", "Health", messages.HEALTH_TYP),
        "resend": _signed("resend", "Request to send again", messages.RESEND_TYP),
        "command": _signed("command", "Command", commands.COMMAND_TYP),
        "reply": _signed("reply", "Reply", commands.REPLY_TYP),
        "desired": _signed("desired", "Desired settings", commands.DESIRED_TYP),
        "reported": _signed("reported", "Reported settings", commands.REPORTED_TYP),
        "renewalRequest": _plain(
            "Request for a new certificate",
            "JSON: kiosk, certificate request (PKCS #10), public record key, and its proof (JWS).",
        ),
        "renewalAnswer": _plain(
            "Answer to such a request",
            "JWS compact, alg ES256 with x5c, typ landfall-enrolment-answer; or JSON: error and remedy.",
        ),
    }


def _channel(address: str, message: str, description: str) -> dict[str, Any]:
    parameters = [name for name in _PARAMETERS if f"{{{name}}}" in address]
    return {
        "address": address,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in parameters},
    }


def _operation(action: str, channel: str, description: str, *, retain: bool = False) -> dict[str, Any]:
    binding: dict[str, Any] = {"qos": 1, "bindingVersion": _BINDING}
    if action == "send":
        binding["retain"] = retain
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "description": description,
        "bindings": {"mqtt": binding},
    }


def _plain(title: str, description: str) -> dict[str, Any]:
    """Describe a text whose form is that of enrolment."""
    return {
        "title": title,
        "payload": {"schemaFormat": _JSON_SCHEMA, "schema": {"type": "string", "description": description}},
        "bindings": {"mqtt": {"bindingVersion": _BINDING}},
    }


def _signed(name: str, title: str, typ: str) -> dict[str, Any]:
    """Describe a JWS compact whose payload has a schema of its own."""
    payload = {
        "type": "string",
        "pattern": r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        "description": f"JWS compact, alg Ed25519, typ {typ}; `contentSchema` is what it signs.",
        "contentMediaType": LETTER_CONTENT_TYPE,
        "contentSchema": {"$ref": f"./schemas/{name}.json"},
    }
    return {
        "title": title,
        "contentType": LETTER_CONTENT_TYPE,
        "payload": {"schemaFormat": _JSON_SCHEMA, "schema": payload},
        "bindings": {"mqtt": {"bindingVersion": _BINDING}},
    }
