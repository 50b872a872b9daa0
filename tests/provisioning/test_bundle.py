import io
import tarfile
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from edge.errors import ProvisioningError
from edge.identity.certificates import pem, utc_now
from edge.identity.enrolment import ANSWER_TYP
from provisioning.authority import Authority
from provisioning.bundle import Enrolment, read_bundle, write_bundle

KIOSK = "dm-roseau/ferry-01"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority.create(tmp_path_factory.mktemp("bundle") / "ca")


def members(authority, **more):
    return {
        "kiosk.toml": b"[kiosk]\n",
        "ca.crt": pem(authority.root),
        "enrolment.json": msgspec.json.encode(Enrolment(KIOSK, "https://centre.example.org", "CODE")),
        "network/landfall-wifi.nmconnection": b"[connection]\n",
        **more,
    }


@pytest.fixture(scope="module")
def content(authority):
    return write_bundle(KIOSK, members(authority), authority.documents(), utc_now())


def read(content):
    return read_bundle(content, utc_now())


def unpacked(content):
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return [(entry, tar.extractfile(entry).read()) for entry in tar]


def packed(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for entry, text in entries:
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return out.getvalue()


def renamed(entry, name):
    entry.name = name
    return entry


def test_a_bundle_gives_back_what_was_put_into_it(authority, content):
    bundle = read(content)
    assert bundle.kiosk == KIOSK
    assert dict(bundle.members) == members(authority)
    assert bundle.enrolment == Enrolment(KIOSK, "https://centre.example.org", "CODE")
    assert bundle.network == {"landfall-wifi.nmconnection": b"[connection]\n"}


def test_a_bundle_shows_nobody_its_code(content):
    assert "CODE" not in repr(read(content))


def test_the_same_parts_taken_apart_and_put_together_are_the_same_bundle(content):
    assert packed(unpacked(content)) == content


def test_any_changed_byte_is_refused(content):
    """Every 23rd byte, and many of the manifest's beginning and of the end: header, padding and all."""
    for position in {*range(0, len(content), 23), *range(512, 600), *range(len(content) - 600, len(content), 5)}:
        changed = bytearray(content)
        changed[position] ^= 1
        with pytest.raises(ProvisioningError):
            read(bytes(changed))


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1024, 4096, -1, -512, -1024])
def test_a_bundle_that_was_cut_short_is_refused(content, length):
    with pytest.raises(ProvisioningError):
        read(content[:length])


def test_a_bundle_with_something_behind_it_is_refused(content):
    with pytest.raises(ProvisioningError, match="damaged"):
        read(content + b"\0" * 512)


@pytest.mark.parametrize("left_out", range(5))
def test_a_missing_part_is_refused(content, left_out):
    parts = unpacked(content)
    with pytest.raises(ProvisioningError):
        read(packed(parts[:left_out] + parts[left_out + 1 :]))


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "network/../../evil", "kiosk.toml", "trust_list.json", "network/x.nmconnection", ""],
)
def test_one_part_more_is_refused_wherever_it_would_go(content, name):
    parts = unpacked(content)
    with pytest.raises(ProvisioningError):
        read(packed([*parts, (tarfile.TarInfo(name), b"evil")]))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_file_is_refused(content, kind):
    link = tarfile.TarInfo("trust_list.json")
    link.type, link.linkname = kind, "/etc/shadow"
    with pytest.raises(ProvisioningError, match="what no bundle holds"):
        read(packed([*unpacked(content), (link, b"")]))


def test_a_part_with_holes_is_refused_before_they_fill_the_memory(content):
    text = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n30 GNU.sparse.name=kiosk.toml\n"
    text += b"32 GNU.sparse.realsize=99999999\n"
    header = tarfile.TarInfo("PaxHeaders/kiosk.toml")
    header.type = tarfile.XHDTYPE
    map_of_holes = b"1\n99999999\n0\n".ljust(512, b"\0")
    with pytest.raises(ProvisioningError, match="what no bundle holds"):
        read(packed([(header, text), (tarfile.TarInfo("kiosk.toml"), map_of_holes)]))


def test_two_parts_that_change_places_are_refused(content):
    manifest, first, second, *rest = unpacked(content)
    with pytest.raises(ProvisioningError):
        read(packed([manifest, second, first, *rest]))


def test_a_bundle_of_another_authority_shows_that_authority(authority, content, tmp_path):
    """Who swaps both signature and root gets a bundle that is whole, and has another pin: people compare that."""
    other = Authority.create(tmp_path / "other")
    swapped = write_bundle(KIOSK, members(other), other.documents(), utc_now())
    assert read(swapped).members["ca.crt"] != read(content).members["ca.crt"]
    with pytest.raises(ProvisioningError, match="not to be trusted"):
        read(write_bundle(KIOSK, members(authority), other.documents(), utc_now()))


def test_what_was_signed_for_another_purpose_is_no_bundle(authority, content):
    (entry, _), *rest = unpacked(content)
    token = authority.documents().sign(b"{}", ANSWER_TYP)
    with pytest.raises(ProvisioningError):
        read(packed([(entry, token.encode()), *rest]))


def test_a_tls_key_signs_no_bundle(authority, tmp_path):
    from edge.identity.issuing import load_pair
    from edge.identity.signed import DocumentSigner

    authority.issue_broker(tmp_path / "broker", ["localhost"])
    key, chain = load_pair(tmp_path / "broker", "broker")
    with pytest.raises(ProvisioningError, match="is for something else"):
        read(write_bundle(KIOSK, members(authority), DocumentSigner(tuple(chain), key), utc_now()))


@pytest.mark.parametrize("behind", [timedelta(days=20 * 365), timedelta(hours=1), timedelta(0)])
def test_a_machine_whose_clock_is_behind_reads_a_bundle(content, behind):
    assert read_bundle(content, utc_now() - behind).kiosk == KIOSK


def test_a_machine_whose_clock_is_decades_ahead_is_told_so(content):
    with pytest.raises(ProvisioningError, match="not to be trusted"):
        read_bundle(content, datetime(2099, 1, 1, tzinfo=UTC))


def test_a_bundle_that_enrols_another_kiosk_is_refused(authority):
    other = {"enrolment.json": msgspec.json.encode(Enrolment("dm-roseau/x", "https://centre.example.org", ""))}
    content = write_bundle(KIOSK, members(authority, **other), authority.documents(), utc_now())
    with pytest.raises(ProvisioningError, match="enrols dm-roseau/x"):
        read(content)


def test_nothing_unknown_is_written_into_a_bundle(authority):
    with pytest.raises(ProvisioningError, match="nothing that a bundle holds"):
        write_bundle(KIOSK, members(authority, **{"../x": b""}), authority.documents(), utc_now())
