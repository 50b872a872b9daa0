"""What simulated readers send is what the framer understands."""

from __future__ import annotations

import pytest

from hw.framing import Family, Framer, encode
from tests.hw.framing.samples import AAMVA, BCBP, DCC, TD1, TD2, TD3, VDS

MRZ_FAMILIES = [family for family in Family if family is not Family.AUTO]
MRZS = [b"\n".join(lines) for lines in (TD1, TD2, TD3)]


@pytest.mark.parametrize("family", MRZ_FAMILIES)
@pytest.mark.parametrize("payload", MRZS)
@pytest.mark.parametrize("mode", ["auto", "own"])
def test_every_family_sends_an_mrz_that_is_understood(family, payload, mode):
    framer = Framer(Family.AUTO if mode == "auto" or family is Family.BARCODE else family)
    items = framer.receive(encode(payload, family)) + framer.flush()
    assert [item.payload for item in items] == [payload]


@pytest.mark.parametrize("family", [Family.RAW, Family.ACCESS_IS, Family.STX_ETX])
@pytest.mark.parametrize("payload", [BCBP, DCC, AAMVA, VDS], ids=["bcbp", "dcc", "aamva", "vds"])
@pytest.mark.parametrize("symbology", ["", "]L0"])
def test_every_barcode_survives_the_way_through_a_reader(family, payload, symbology):
    framer = Framer()
    items = framer.receive(encode(payload, family, symbology=symbology)) + framer.flush()
    assert [(item.payload, item.symbology) for item in items] == [(payload, symbology[:2] or None)]


@pytest.mark.parametrize("payload", MRZS)
def test_a_reader_without_terminators_is_understood_when_it_falls_silent(payload):
    framer = Framer()
    assert framer.receive(encode(payload, Family.RAW, terminator=b"")) == []
    assert [item.payload for item in framer.flush()] == [payload]


@pytest.mark.parametrize("family", [Family.RTE, Family.ELYCTIS, Family.AUTO])
def test_a_reader_that_cannot_read_barcodes_sends_none(family):
    with pytest.raises(ValueError, match=family.value):
        encode(BCBP, family)
