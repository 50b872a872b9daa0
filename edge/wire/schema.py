"""JSON Schemas (2020-12) of everything that the contract says, made from the types.

Owns how a schema is made and which files there are; `python -m edge.wire.schema` writes them beside this file, with the
AsyncAPI document. Always true: structure comes from the type, meaning from `edge.wire.meanings`, nothing twice.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from edge.wire.asyncapi import document
from edge.wire.commands import Command, Desired, Reply, Reported
from edge.wire.crossing import Amendment, AuditEvent, Crossing, EpochStart, Evidence
from edge.wire.health import Health
from edge.wire.meanings import MEANINGS, WHOLE
from edge.wire.messages import Export, Receipt, Resend, Status
from edge.wire.record import Claims, Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent

TYPES: dict[str, Any] = {
    "crossing": Crossing,
    "amendment": Amendment,
    "evidence": Evidence,
    "audit": AuditEvent,
    "epoch": EpochStart,
    "record": Record,
    "batch": list[Record],
    "claims": Claims,
    "receipt": Receipt,
    "resend": Resend,
    "status": Status,
    "health": Health,
    "export": Export,
    "command": Command,
    "reply": Reply,
    "desired": Desired,
    "reported": Reported,
}


def schema(name: str) -> dict[str, Any]:
    """Return the schema of one of `TYPES`, complete in itself; unknown fields are allowed, as the contract wants it."""
    (whole,), parts = msgspec.json.schema_components([TYPES[name]], ref_template="#/$defs/{name}")
    parts = {title: _explained(title, part) for title, part in sorted(parts.items())}
    if "$ref" in whole:
        whole = parts.pop(whole["$ref"].rpartition("/")[2])
    head = {"$schema": DIALECT, "$id": f"urn:landfall:v1:{name}", "title": name.capitalize()}
    return {**head, **whole, **({"$defs": parts} if parts else {})}


def _explained(title: str, part: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one type with what its fields mean."""
    meanings = MEANINGS.get(title, {})
    properties = {field: {**form, **meanings.get(field, {})} for field, form in part.get("properties", {}).items()}
    explained = {**part, **({"properties": properties} if properties else {}), **WHOLE.get(title, {})}
    if "description" in part:
        paragraphs = inspect.cleandoc(part["description"]).split("\n\n")
        explained["description"] = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return explained


def files() -> dict[Path, str]:
    """Return every generated file with the text that it must have."""
    made = {FOLDER / "schemas" / f"{name}.json": schema(name) for name in TYPES}
    made[FOLDER / "asyncapi.json"] = document()
    return {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in made.items()}


def main() -> int:
    """Write every file anew and name those that changed."""
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
