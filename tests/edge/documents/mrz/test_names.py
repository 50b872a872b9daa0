"""The name field: how it is split, filled and cut."""

import pytest

from edge.documents.mrz.names import join, split


@pytest.mark.parametrize(
    ("primary", "secondary", "width", "field"),
    [
        # Doc 9303-4 and -6: a secondary identifier that does not fit
        (
            "NILAVADHANANANDA",
            "CHAYAPA DEJTHAMRONG KRASUANG",
            39,
            "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K",
        ),
        ("NILAVADHANANANDA", "ARNPOL PETCH CHARONGUANG", 39, "NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU"),
        ("PAPANDROPOULOUS", "JONATHON ALEC", 30, "PAPANDROPOULOUS<<JONATHON<ALEC"),
        ("ERIKSSON", "ANNA MARIA", 30, "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"),
        ("ARKFREITH", "", 20, "ARKFREITH<<<<<<<<<<<"),
        # the cut would end on a filler, which would hide it
        ("AAAA", "BBBB CCCC", 11, "AAAA<<BBB<C"),
        ("AAAA", "B CCCC", 8, "AAAA<<BC"),
        # a primary identifier that leaves no room
        ("ABCDEFGHIJ", "KLM", 10, "ABCDEFG<<K"),
        ("ABCDEFG HIJ", "KLM", 11, "ABCDEF<H<<K"),
        ("ABCDEFGHIJKLM", "", 10, "ABCDEFGHIJ"),
    ],
)
def test_names_are_joined_and_cut_so_that_a_letter_stands_last(primary, secondary, width, field):
    assert join(primary, secondary, width) == field


@pytest.mark.parametrize(
    ("field", "identifiers"),
    [
        ("ERIKSSON<<ANNA<MARIA<<<", ("ERIKSSON", "ANNA MARIA")),
        ("ARKFREITH<<<<", ("ARKFREITH", "")),
        ("<<ANNA<<<", ("", "ANNA")),
        ("<<<<", ("", "")),
        ("BENNELONG<WOOLOOMOOLOO<W<W<<D<P", ("BENNELONG WOOLOOMOOLOO W W", "D P")),
    ],
)
def test_a_field_is_split_at_the_first_pair_of_fillers(field, identifiers):
    assert split(field) == identifiers
