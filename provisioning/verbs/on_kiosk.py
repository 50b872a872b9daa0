"""What the technician types at the kiosk, and what its timer runs: `install` and `enrol`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ProvisioningError

if TYPE_CHECKING:
    from provisioning.install import Machine


def add_verbs(verbs: argparse._SubParsersAction) -> None:
    """Add `install` and `enrol`."""
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument(
        "--root", type=Path, default=Path("/"), metavar="FOLDER", help="a mounted image (default: this machine)"
    )
    text = "Make this machine the kiosk that a bundle names. Safe to run again, whenever it was interrupted."
    install = verbs.add_parser("install", parents=[where], help="make this machine a kiosk", description=text)
    install.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE", help="what `kiosk new` wrote, *.landfall")
    install.add_argument("--pin", metavar="PIN", help="the pin on the label, instead of comparing it on the screen")
    install.add_argument("--yes", action="store_true", help="ask nothing; needs --pin on a new machine")
    install.add_argument("--offline", action="store_true", help="do not call the centre; enrol by stick afterwards")
    install.set_defaults(run=_install)

    enrol = verbs.add_parser("enrol", help="become known to the centre, and stay so")
    enrol = enrol.add_subparsers(title="verbs", required=True, metavar="VERB")
    request = enrol.add_parser("request", parents=[where], help="write a request to a stick, where there is no network")
    request.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the stick")
    request.set_defaults(run=_request)
    accept = enrol.add_parser("accept", parents=[where], help="take the centre's answer from a stick")
    accept.add_argument("file", type=Path, metavar="FILE", help="what `landfall-central enrol sign` wrote")
    accept.set_defaults(run=_accept)
    text = "Take the centre's ca.crt from a stick: the root stays, and what it has revoked is believed no more."
    trust = enrol.add_parser("trust", parents=[where], help="learn which authorities were revoked", description=text)
    trust.add_argument("file", type=Path, metavar="FILE", help="ca.crt of the centre's authority/")
    trust.set_defaults(run=_trust)
    code = enrol.add_parser("code", parents=[where], help="enrol with a new code, typed by hand")
    code.add_argument("code", nargs="?", metavar="CODE", help="asked for when it is left out")
    code.set_defaults(run=_code)
    renew = enrol.add_parser("renew", parents=[where], help="do what is due; landfall-renew.timer runs it")
    renew.set_defaults(run=_renew)


def _install(arguments: argparse.Namespace) -> str | int:
    from provisioning.bundle import MAX_BYTES, read_bundle, trust_of
    from provisioning.install import Installation, machine_at

    path, *others = arguments.bundles
    if others:
        names = ", ".join(one.name for one in arguments.bundles)
        raise ProvisioningError(f"these are several bundles: {names}", remedy="type the name of this kiosk's alone")
    machine = machine_at(arguments.root)
    is_known = (machine.keys.folder / "ca.crt").exists()
    known = machine.keys.trust if is_known else None
    with path.open("rb") as file:
        bundle = read_bundle(file.read(MAX_BYTES + 1), machine.now(), known)
    stick = path.absolute().parent
    installation = Installation(bundle, machine, is_online=not arguments.offline, stick=stick)
    installation.check()
    print(f"This makes {'this machine' if machine.is_running else machine.root} the kiosk {bundle.kiosk}:")
    for words, _ in installation.steps():
        print(f"  - {words[0].lower()}{words[1:]}")
    begun = machine.begun()
    is_agreed = is_known and begun is not None and begun.bundle == bundle.sha256
    _agree(arguments, trust_of(bundle).root, is_known=is_known, is_agreed=is_agreed)
    if installation.run(print):
        print(f"{bundle.kiosk} is set up.")
        return 0
    print(_by_stick(machine, bundle.kiosk, path, stick))
    return 1


def _by_stick(machine: Machine, kiosk: str, bundle: Path, stick: Path) -> str:
    """Write the request beside the bundle, for a post that has no network, and say how it goes on."""
    from provisioning.install import write_request

    told = (
        "Not enrolled yet. With a network it asks the centre again within ten minutes\nof each start, and each night; "
    )
    try:
        request, fingerprint = write_request(machine, kiosk, stick)
    except OSError as error:
        return f"""\
{told}to ask at once:
    sudo landfall-provision enrol renew
Without one: {stick} cannot be written ({error.strerror}); mount a stick, and
    sudo landfall-provision enrol request --out STICK"""
    return f"""\
{told}to ask at once, type the same command again.
Without one, the stick goes to the centre:
    landfall-central enrol sign {request.name}
They ask on the telephone for this fingerprint:

    {fingerprint}

With the answer on the stick, type the same command here again:
    sudo landfall-provision install {bundle}"""


def _agree(arguments: argparse.Namespace, root: object, *, is_known: bool, is_agreed: bool) -> None:
    """Let the technician compare the pin, the one thing that makes the first bundle trustworthy.

    Who said yes to the same bundle before is not asked again.
    """
    from edge.identity.certificates import is_pin, pin

    if arguments.pin is not None:
        if not is_pin(arguments.pin, root):
            raise ProvisioningError(
                f"the bundle's authority has the pin {pin(root)}, and you gave another",
                remedy="do not use this bundle: it is not your office's",
            )
    elif not is_known and (arguments.yes or not sys.stdin.isatty()):
        raise ProvisioningError("nobody compares the pin", remedy="give --pin as the label has it")
    if is_agreed:
        print("You said yes to it before: what is so already stays.")
        return
    if arguments.yes or (arguments.pin is not None and not sys.stdin.isatty()):
        return
    question = "Go on? [y/N] "
    if arguments.pin is None and not is_known:
        print(f"\n    pin   {pin(root)}\n")
        question = "Is this exactly the pin on the label? [y/N] "
    if input(question).strip().lower() not in ("y", "yes"):
        raise ProvisioningError("stopped; nothing was changed")


def _request(arguments: argparse.Namespace) -> str:
    from provisioning.install import machine_at, write_request

    machine = machine_at(arguments.root)
    kiosk = _kiosk(machine)
    if not arguments.out.is_dir():
        raise ProvisioningError(f"{arguments.out}: there is no such folder", remedy="is the stick mounted?")
    path, fingerprint = write_request(machine, kiosk, arguments.out)
    return f"""\
{path} written. At the centre:
    landfall-central enrol sign {path.name}
They will ask on the telephone for this fingerprint:

    {fingerprint}
"""


def _accept(arguments: argparse.Namespace) -> str:
    from provisioning.install import machine_at, restart_kiosk, take_answer

    machine = machine_at(arguments.root)
    kiosk = _kiosk(machine)
    take_answer(machine, kiosk, arguments.file)
    restart_kiosk(machine)
    return f"{kiosk} is enrolled"


def _trust(arguments: argparse.Namespace) -> str:
    from edge.identity.trust import MAX_LIST_BYTES, Trust
    from provisioning.install import machine_at, restart_kiosk

    machine = machine_at(arguments.root)
    kiosk = _kiosk(machine)
    with arguments.file.open("rb") as file:
        brought = Trust.load(file.read(2 * MAX_LIST_BYTES))
    if not machine.keys.pin(brought):
        return f"{kiosk} knew that already"
    restart_kiosk(machine)
    return f"{kiosk} believes no authority any more that the root has revoked"


def _code(arguments: argparse.Namespace) -> str:
    from provisioning.install import machine_at, restart_kiosk, see_to_certificate, take_code

    machine = machine_at(arguments.root)
    _kiosk(machine)
    take_code(machine, arguments.code or input("Code: "))
    seen = see_to_certificate(machine)
    restart_kiosk(machine)
    return seen.told


def _renew(arguments: argparse.Namespace) -> str:
    from provisioning.install import machine_at, restart_kiosk, see_to_certificate

    machine = machine_at(arguments.root)
    seen = see_to_certificate(machine)
    if seen.is_new:
        restart_kiosk(machine)
    return seen.told


def _kiosk(machine: Machine) -> str:
    enrolment = machine.enrolment()
    if enrolment is None:
        raise ProvisioningError("this machine is no kiosk yet", remedy="landfall-provision install BUNDLE")
    return enrolment.kiosk
