"""Kiosks of a journey that were set up from bundles, as in the field: each is the tree of a card."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from provisioning.cli import main
from provisioning.local_deployment import Process
from tests.journeys.world import LANE, QUICK, World

OWN_FOLDER = """
[store]
path = "cache.db"
keep_receipted_h = 24

[control]
socket = "control.sock"
"""


@dataclass(frozen=True, slots=True)
class Card:
    """A kiosk's card below `root`, and the process of its daemon."""

    here: World
    name: str
    root: Path
    process: Process

    @property
    def folder(self) -> Path:
        """Return where its settings, its store and its witness are."""
        return self.root / "etc/landfall"

    def renew(self) -> str:
        """Do what the timer does at night; the daemon has to be started anew for it."""
        return type_verb("enrol", "renew", "--root", str(self.root))

    def passes(self, *, first: int, count: int, ready: str = "uplink connected") -> None:
        """Let travellers come, from the number `first` on, and wait until all have left."""
        self.process.stop()
        self.here.travellers(self.folder, first=first, count=count)
        self.process.start(ready=ready)
        self.here.have_passed(first + count - 1, self.folder)


def type_verb(*words: str, ok: int = 0) -> str:
    """Type a verb of `landfall-provision` in this process, which takes no second to start, and return what it shows."""
    shown = io.StringIO()
    with redirect_stdout(shown), redirect_stderr(shown):
        status = main(list(words))
    assert status == ok, shown.getvalue()
    return shown.getvalue()


def set_up_card(here: World, settings: Path, kiosk: str, folder: Path) -> Card:
    """Write a bundle for a kiosk and install it on a card below `folder`."""
    site, name = kiosk.split("/")
    root, files, lanes = folder / "card", folder / "files", folder / "lanes.toml"
    root.mkdir(parents=True)
    lanes.write_text(LANE.format(policy=QUICK, camera="") + OWN_FOLDER)
    told = type_verb(
        "kiosk", "new", "--site", site, "--kiosk", name,
        "--config", str(settings), "--lanes", str(lanes), "--out", str(files),
    )  # fmt: skip
    pin = told.split("   pin ")[1].split()[0]
    bundle = next(files.glob("*.landfall"))
    type_verb("install", "--yes", "--root", str(root), "--pin", pin, str(bundle))
    keys = {"CREDENTIALS_DIRECTORY": str(root / "etc/landfall/keys")}
    return Card(here, kiosk, root, here.deployment.process_of(kiosk, root / "etc/landfall", keys))


def open_desk(here: World) -> tuple[Path, Process]:
    """Let the centre's settings say where kiosks enrol, and return them with the process that lets them in."""
    deployment, port = here.deployment, here.free_port()
    authority = deployment.folder / "authority"
    deployment.authority.issue_enrolment(deployment.folder / "enrolment", ["localhost"])
    deployment.authority.issue_collector(deployment.folder / "enrolment", "enrolment")
    settings = deployment.central_config
    settings.write_text(f"""\
{settings.read_text()}
[enrolment]
address = "https://localhost:{port}"
listen = "127.0.0.1"
port = {port}
certificate = "{deployment.folder}/enrolment/enrolment.crt"
key = "{deployment.folder}/enrolment/enrolment.key"
client_certificate = "{deployment.folder}/enrolment/client.crt"
client_key = "{deployment.folder}/enrolment/client.key"
authority = "{authority}"
revocation_list = "{deployment.revocation_list}"
opening_key = "{deployment.centre}/opening.pub.json"
receipt_keys = ["{deployment.centre}/receipt.pub.json"]
""")
    words = ["enrol", "serve", "--config", str(settings)]
    process = deployment.process("central.cli", words, "enrolment")
    process.start(ready="kiosks enrol at")
    return settings, process
