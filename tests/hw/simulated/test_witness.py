"""The account of who left survives the kiosk."""

from __future__ import annotations

from pathlib import Path

from hw.simulated.witness import Sighting, Witness


def test_sightings_are_on_disk_before_note_returns(tmp_path: Path):
    Witness(tmp_path / "witness.jsonl").note(Sighting(3, "green"))
    assert (tmp_path / "witness.jsonl").read_bytes() == b'{"traveller":3,"saw":"green"}\n'


def test_a_new_witness_goes_on_where_the_last_one_ended(tmp_path: Path):
    Witness(tmp_path / "witness.jsonl").note(Sighting(3, "green"))
    witness = Witness(tmp_path / "witness.jsonl")
    witness.note(Sighting(4, "amber"))
    assert witness.sightings == [Sighting(3, "green"), Sighting(4, "amber")]
    assert [witness.has_left(traveller) for traveller in (3, 4, 5)] == [True, True, False]


def test_a_line_torn_off_by_a_power_cut_is_dropped(tmp_path: Path):
    path = tmp_path / "witness.jsonl"
    path.write_bytes(b'{"traveller":3,"saw":"green"}\n{"traveller":4,"sa')
    witness = Witness(path)
    witness.note(Sighting(4, "green"))
    assert Witness(path).sightings == [Sighting(3, "green"), Sighting(4, "green")]


def test_a_witness_without_a_file_remembers(tmp_path: Path):
    witness = Witness()
    witness.note(Sighting(1, "green"))
    assert witness.sightings == [Sighting(1, "green")]
