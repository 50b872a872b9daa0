"""What is asked over the control socket, taken apart by its form."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from edge.verbs import Refused, take_apart


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A form with one bounded text and one nested one."""

    officer: Annotated[str, msgspec.Meta(pattern=r"^A-[0-9]+\Z")] = ""
    typed: dict[str, Annotated[str, msgspec.Meta(max_length=8)]] = {}


FORMS = {"enter": Asked}


def test_what_fits_its_form_comes_back_in_it() -> None:
    assert take_apart("enter", {"officer": "A-1042"}, FORMS) == Asked("A-1042")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"officer": "Eriksson"}, "enter: $.officer is not right"),
        ({"typed": {"surname": "Eriksson-Lindqvist"}}, r"enter: $.typed[...] is not right"),
        ({"Eriksson": 1}, "enter: an argument is not right"),
    ],
    ids=["pattern", "nested", "unknown"],
)
def test_what_does_not_fit_is_named_by_its_place_and_never_quoted(arguments, text) -> None:
    with pytest.raises(Refused) as refused:
        take_apart("enter", arguments, FORMS)
    assert str(refused.value) == text


def test_a_hint_says_what_would_be_right_at_its_place() -> None:
    with pytest.raises(Refused, match=r"^a service number$"):
        take_apart("enter", {"officer": "Eriksson"}, FORMS, hints={"$.officer": "a service number"})
