"""The world of the journeys leaves nothing behind, also when it could not be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import ProvisioningError
from provisioning.local_deployment import LocalDeployment
from tests.harness.leftovers import child_processes
from tests.journeys.world import World


@pytest.mark.journey
def test_a_collector_that_does_not_get_ready_is_ended_with_its_broker(tmp_path: Path, monkeypatch) -> None:
    def give_up(deployment: LocalDeployment) -> None:
        deployment.collectors[0].start()
        raise ProvisioningError("collector-1 did not say 'collector ready'")

    monkeypatch.setattr(LocalDeployment, "start_collectors", give_up)
    before = set(child_processes())
    with pytest.raises(ProvisioningError), World(tmp_path):
        pass
    assert set(child_processes()) <= before
