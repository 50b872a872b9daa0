"""Every command says which Landfall it is."""

from __future__ import annotations

from importlib.metadata import version

import pytest

import central.cli
import edge.cli
import provisioning.cli


@pytest.mark.parametrize(
    ("command", "main"),
    [
        ("landfall", edge.cli.main),
        ("landfall-central", central.cli.main),
        ("landfall-provision", provisioning.cli.main),
    ],
    ids=["landfall", "landfall-central", "landfall-provision"],
)
def test_a_command_prints_its_name_and_version_and_ends(command, main, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"{command} {version('landfall')}\n")
