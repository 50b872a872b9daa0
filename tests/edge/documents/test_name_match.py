"""How well a name on a boarding pass or visa agrees with the one on the travel document."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.documents.name_match import Name, likeness

HOLDER = Name("ERIKSSON", "ANNA MARIA")


@pytest.mark.parametrize(
    ("shown", "holder"),
    [
        (Name("ERIKSSON", "ANNA MARIA"), HOLDER),
        (Name("ERIKSSON", "ANNAMARIA"), HOLDER),
        (Name("ERIKSSON", "ANNA MARIA MRS"), HOLDER),
        (Name("ERIKSSON", "ANNAMARIAMRS"), HOLDER),
        (Name("ERIKSSON", "MS ANNA MARIA"), HOLDER),
        (Name("ERIKSSON", "ANNA"), HOLDER),
        (Name("ERIKSSON", "MARIA"), HOLDER),
        (Name("ERIKSSON", "A"), HOLDER),
        (Name("ANNA MARIA", "ERIKSSON"), HOLDER),
        (Name("ANNA", "ERIKSSON MRS"), HOLDER),
        (Name("MULLER", "JORG"), Name("MUELLER", "JOERG")),
        (Name("MUXXLLER", "JOERG"), Name("MULLER", "JORG")),
        (Name("AAGAARD", "SOREN"), Name("AGARD", "SOEREN")),
        (Name("STRAUSS", "ANNA"), Name("STRAUS", "ANNA")),
        (Name("GARCIALOPEZ", "MARIA"), Name("GARCIA LOPEZ", "MARIA")),
        (Name("GARCIA", "MARIA"), Name("GARCIA LOPEZ", "MARIA")),
        (Name("OBRIEN", "SEAN"), Name("O'BRIEN", "SEAN")),
        (Name("ARKFREITH", "MR"), Name("ARKFREITH", "")),
        (Name("ARKFREITH", "FNU"), Name("ARKFREITH", "")),
        (Name("FNU", "ARKFREITH"), Name("ARKFREITH", "")),
        (Name("ARKFREITH", "ARKFREITH"), Name("ARKFREITH", "")),
        (Name("WILLIAMS", "ADAMS"), Name("WILLIAMS", "ADAMS")),
        (Name("SMITH", "ALEXANDR"), Name("SMITH", "ALEXANDR")),
        (Name("PAPANDROPOULOUS", "JONA", is_cut=True), Name("PAPANDROPOULOUS", "JONATHON ALEC")),
        (Name("PAPANDROPOULOUSSMITH", "", is_cut=True), Name("PAPANDROPOULOUS SMITHSON", "JONATHON")),
        (Name("NILAVADHANANANDA", "CHAYAPA"), Name("NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG K", is_cut=True)),
    ],
)
def test_one_persons_names_agree(shown, holder):
    assert likeness(shown, holder).score >= 0.9


@pytest.mark.parametrize(
    ("shown", "holder"),
    [
        (Name("ERIKSEN", "ANNA MARIA"), HOLDER),
        (Name("ERIKSSON", "PETER"), HOLDER),
        (Name("ERIKSSON", "ANA MARIA"), HOLDER),
        (Name("STEVENSON", "ANNA MARIA"), HOLDER),
    ],
)
def test_a_name_that_differs_in_part_is_neither_agreement_nor_another_person(shown, holder):
    assert 0.5 <= likeness(shown, holder).score < 0.9


@pytest.mark.parametrize("shown", [Name("STEVENSON", "PETER"), Name("LI", "WEI"), Name("BERTHIER", "CORINNE")])
def test_another_persons_name_does_not_agree(shown):
    found = likeness(shown, HOLDER)

    assert found.score < 0.5
    assert found.reason == "neither identifier agrees"


def test_a_repr_withholds_the_name():
    assert repr(HOLDER) == "Name(<withheld>)"


NAMES = st.builds(Name, st.text(max_size=20), st.text(max_size=20), st.booleans())


@given(shown=NAMES, holder=NAMES)
@settings(max_examples=100, deadline=None)
def test_any_two_names_have_a_score_from_0_to_1(shown, holder):
    assert 0.0 <= likeness(shown, holder).score <= 1.0


@given(primary=st.text("ABCDE", min_size=1, max_size=8), secondary=st.text("ABCDE ", max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_name_agrees_with_itself(primary, secondary):
    assert likeness(Name(primary, secondary), Name(primary, secondary)).score == 1.0
