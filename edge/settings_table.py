"""The table of settings in README.md, made from the types.

Owns how the table looks; `python -m edge.settings_table` puts it between its markers in a file. Always true: names,
ranges, defaults and meanings come from `edge.settings` and `hw.settings`; nothing is written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import inspect

from edge.setting_words import bare, default_of, meaning_of, words_for
from edge.settings import Settings

BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"
_NOT_IN_THE_FILE = {"folder"}


def settings_table() -> str:
    """Return every setting of kiosk.toml as Markdown, one table for each table of the file."""
    return table_of(inspect.type_info(Settings))


def table_of(kind: inspect.Type) -> str:
    """Return every key of a file as Markdown, one table for each table of the file."""
    return "\n".join(line for name, inner in _tables("", kind) for line in _section(name, inner))


def _tables(name: str, kind: inspect.Type) -> Iterator[tuple[str, inspect.StructType]]:
    """Yield the tables of the file in order; those without a setting of their own only lead to others."""
    whole = bare(kind)
    if isinstance(whole, inspect.ListType):
        yield from _tables(f"{name}[]", whole.item_type)
    elif isinstance(whole, inspect.UnionType):
        for one in whole.types:
            yield from _tables(name, one)
    elif isinstance(whole, inspect.StructType):
        if name or any(_is_setting(field.type) for field in whole.fields if field.encode_name not in _NOT_IN_THE_FILE):
            yield name, whole
        for field in whole.fields:
            yield from _tables(f"{name}.{field.encode_name}".lstrip("."), field.type)


def _section(name: str, kind: inspect.StructType) -> Iterator[str]:
    title = f"[[{name.removesuffix('[]')}]]" if name.endswith("[]") else f"[{name}]"
    about = " ".join((kind.cls.__doc__ or "").split())
    yield from (
        f"**`{title.replace('[].', '.')}`** {about}" if name else f"**At the top** {about}",
        "",
        "| key | value | default | meaning |",
        "|---|---|---|---|",
    )
    for field in kind.fields:
        if field.encode_name in _NOT_IN_THE_FILE or not _is_setting(field.type):
            continue
        default = default_of(field)
        shown = {None: "must be given", "null": "left out"}.get(default, f"`{default}`")
        words = words_for(field.type).replace("|", "\\|")
        yield f"| `{field.encode_name}` | {words} | {shown} | {meaning_of(field)} |"
    yield ""


def _is_setting(kind: inspect.Type) -> bool:
    """Tell whether a field has a value of its own, and is not a table with its own section."""
    whole = bare(kind)
    if isinstance(whole, inspect.UnionType):
        return all(map(_is_setting, whole.types))
    item = bare(whole.item_type) if isinstance(whole, inspect.ListType) else whole
    return not isinstance(item, inspect.StructType)


def with_table(text: str, table: str = "") -> str:
    """Return a text with a table, that of the settings, between its markers; raise ValueError where there are none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{table or settings_table()}{END}{after}"


def main() -> int:
    """Put the table into README.md, or into the file that is named."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "README.md")
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
