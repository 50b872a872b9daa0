from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from cryptography import x509
from joserfc.jwk import OKPKey
from sqlalchemy import select

from central import database, registry
from central.enrolment import register, revocation
from central.enrolment.desk import EnrolmentRefused, Why
from central.tables import invitation
from edge.errors import ContractError, LandfallError
from edge.identity import certificates
from tests.central.enrolment.conftest import KIOSK, Visitor

DAY = timedelta(days=1)


def enrolled(desk, visitor):
    return desk.enrol(visitor.request(), desk.invite(visitor.name, DAY, replaces=True)[0])


def refused(desk, visitor, code):
    with pytest.raises(EnrolmentRefused) as refusal:
        desk.enrol(visitor.request(), code)
    return refusal.value


def test_a_code_gets_a_certificate_in_the_kiosks_name_for_the_kiosks_own_key(desk, answer_of, clock):
    kiosk = Visitor()
    answer = answer_of(enrolled(desk, kiosk))
    leaf, issuing = certificates.load_chain(answer.certificate.encode())
    assert (answer.kiosk, certificates.common_name(leaf)) == (KIOSK, KIOSK)
    assert leaf.public_key() == kiosk.tls.public_key()
    certificates.verify_chain([leaf, issuing], desk.issuer.trust, certificates.Role.CLIENT, clock())
    assert answer.centre == desk.centre_keys


def test_a_kiosk_that_was_let_in_is_believed_by_the_collectors(desk):
    kiosk = Visitor()
    enrolled(desk, kiosk)
    assert [(key.kiosk, key.kid) for key in registry.list_kiosks(desk.engine)] == [(KIOSK, kiosk.record.thumbprint())]


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n".strip()])
def test_a_code_may_be_typed_in_any_of_the_usual_ways(desk, typed):
    code, _ = desk.invite(KIOSK, DAY)
    assert desk.enrol(Visitor().request(), typed(code))


def test_the_same_keys_with_the_same_code_get_the_same_answer_again(desk):
    kiosk = Visitor()
    code, _ = desk.invite(KIOSK, DAY)
    first = desk.enrol(kiosk.request(), code)
    assert desk.enrol(kiosk.request(), code) == first
    with database.reading(desk.engine) as connection:
        assert len(register.certificates(connection, KIOSK)) == 1


def test_a_code_that_was_used_lets_no_other_keys_in(desk):
    code, _ = desk.invite(KIOSK, DAY)
    desk.enrol(Visitor().request(), code)
    assert "used already" in refused(desk, Visitor(), code).message


def test_two_kiosks_with_one_code_at_the_same_time_are_one_let_in_and_one_refused(desk):
    code, _ = desk.invite(KIOSK, DAY)

    def come(visitor):
        try:
            return bool(desk.enrol(visitor.request(), code))
        except EnrolmentRefused:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(come, [Visitor() for _ in range(4)])) == [False, False, False, True]


def test_a_code_expires(desk, clock):
    code, until = desk.invite(KIOSK, timedelta(hours=3))
    assert until == clock() + timedelta(hours=3)
    clock.passes(hours=3)
    assert "expired" in refused(desk, Visitor(), code).message


def test_a_code_is_of_one_kiosk(desk):
    code, _ = desk.invite(KIOSK, DAY)
    desk.invite("dm-roseau/ferry-02", DAY)
    assert refused(desk, Visitor("dm-roseau/ferry-02"), code).why is Why.CODE


def test_who_guesses_does_not_learn_whether_the_kiosk_is_expected(desk):
    desk.invite(KIOSK, DAY)
    expected, unknown = refused(desk, Visitor(), "0000"), refused(desk, Visitor("dm-roseau/x"), "0000")
    assert str(expected) == str(unknown)


def test_however_many_wrong_codes_strangers_try_the_right_one_lets_in(desk):
    code, _ = desk.invite(KIOSK, DAY)
    stranger = Visitor()
    told = {str(refused(desk, stranger, "AAAA-AAAA-AAAA-AAAA")) for _ in range(20)}
    assert len(told) == 1
    assert desk.enrol(Visitor().request(), code)


def test_wrong_codes_are_counted_up_to_a_bound(desk, monkeypatch):
    monkeypatch.setattr(register, "MOST_COUNTED", 3)
    desk.invite(KIOSK, DAY)
    for _ in range(5):
        refused(desk, Visitor(), "AAAA-AAAA-AAAA-AAAA")
    with database.reading(desk.engine) as connection:
        assert connection.scalar(select(invitation.c.tries)) == 3


def test_a_new_code_ends_the_one_before(desk):
    code, _ = desk.invite(KIOSK, DAY)
    desk.invite(KIOSK, DAY)
    refused(desk, Visitor(), code)


def test_a_kiosk_at_work_is_only_invited_again_to_be_replaced(desk):
    enrolled(desk, Visitor())
    with pytest.raises(LandfallError, match="enrolled already; say --replace"):
        desk.invite(KIOSK, DAY)


def test_a_replacement_ends_the_old_certificate_and_leaves_the_old_record_key_for_records_that_still_come(desk, clock):
    old, new = Visitor(), Visitor()
    enrolled(desk, old)
    clock.passes(days=1)
    enrolled(desk, new)
    with database.reading(desk.engine) as connection:
        states = [(one.revoked_at is None, one.reason) for one in register.certificates(connection, KIOSK)]
        assert registry.counts(connection, KIOSK, old.record.thumbprint())
    assert states == [(False, "superseded"), (True, "")]


def test_an_old_kiosk_that_was_replaced_cannot_renew(desk, clock):
    old = Visitor()
    enrolled(desk, old)
    clock.passes(days=1)
    enrolled(desk, Visitor())
    with pytest.raises(EnrolmentRefused, match="not known with these keys"):
        desk.renew(old.request())


def test_a_renewal_with_half_of_the_life_left_gives_the_same_certificate_again(desk, answer_of, clock):
    kiosk = Visitor()
    first = answer_of(enrolled(desk, kiosk))
    clock.passes(days=300)
    assert answer_of(desk.renew(kiosk.request())).certificate == first.certificate


@pytest.mark.parametrize("days", [600, 824, 2000], ids=["in time", "on the last day", "long after the end"])
def test_a_kiosk_renews_by_its_keys_alone_however_late(desk, answer_of, clock, days):
    kiosk = Visitor()
    first = answer_of(enrolled(desk, kiosk))
    clock.passes(days=days)
    answer = answer_of(desk.renew(kiosk.request()))
    leaf = certificates.load_chain(answer.certificate.encode())[0]
    assert answer.certificate != first.certificate
    assert leaf.not_valid_after_utc == clock() + timedelta(days=825)


def test_a_stolen_kiosk_can_neither_renew_nor_come_back_with_a_code(desk, clock):
    kiosk = Visitor()
    enrolled(desk, kiosk)
    assert revocation.revoke_kiosk(desk.engine, KIOSK, clock(), x509.ReasonFlags.key_compromise) == (1, 1)
    with pytest.raises(EnrolmentRefused, match="not known"):
        desk.renew(kiosk.request())
    assert refused(desk, kiosk, desk.invite(KIOSK, DAY)[0]).why is Why.KEYS


def test_an_answer_that_was_given_is_not_given_again_to_keys_that_were_revoked(desk, clock):
    kiosk = Visitor()
    code, _ = desk.invite(KIOSK, DAY)
    desk.enrol(kiosk.request(), code)
    revocation.revoke_kiosk(desk.engine, KIOSK, clock(), x509.ReasonFlags.key_compromise)
    assert refused(desk, kiosk, code).why is Why.KEYS


def test_a_request_on_a_stick_needs_an_invitation_and_uses_it_up(desk):
    kiosk = Visitor()
    with pytest.raises(EnrolmentRefused, match="is not expected"):
        desk.enrol_by_hand(kiosk.request())
    code, _ = desk.invite(KIOSK, DAY)
    answer = desk.enrol_by_hand(kiosk.request())
    assert desk.enrol_by_hand(kiosk.request()) == answer, "a stick may be lost"
    assert "used already" in refused(desk, Visitor(), code).message


def test_nobody_enrols_as_the_centre(desk):
    with pytest.raises(ContractError, match="'centre' is no site"):
        desk.enrol(Visitor("centre/collector-1").request(), "")


@pytest.mark.parametrize(
    "change",
    [
        lambda r: msgspec.structs.replace(r, proof=Visitor().request().proof),
        lambda r: msgspec.structs.replace(r, csr=Visitor().request().csr),
        lambda r: msgspec.structs.replace(r, record=Visitor().request().record),
        lambda r: msgspec.structs.replace(r, kiosk="dm-roseau/ferry-02"),
        lambda r: msgspec.structs.replace(r, proof=""),
        lambda r: msgspec.structs.replace(r, record={"kty": "OKP", "crv": "Ed25519"}),
    ],
    ids=["proof of another", "csr of another", "record key of another", "another name", "no proof", "no key"],
)
def test_a_request_whose_parts_do_not_belong_together_is_refused_before_its_code_is_looked_at(desk, change):
    code, _ = desk.invite(KIOSK, DAY)
    with pytest.raises(LandfallError):
        desk.enrol(change(Visitor().request()), code)
    with database.reading(desk.engine) as connection:
        assert register.certificates(connection) == []


def test_a_key_that_agrees_and_does_not_sign_is_no_record_key(desk):
    visitor = Visitor()
    request = visitor.request()
    agreeing = OKPKey.generate_key("X25519", private=False).as_dict(private=False)
    with pytest.raises(LandfallError):
        desk.enrol(msgspec.structs.replace(request, record=agreeing), desk.invite(KIOSK, DAY)[0])


def test_a_record_key_speaks_for_one_kiosk(desk):
    kiosk = Visitor()
    enrolled(desk, kiosk)
    kiosk.name = "dm-roseau/ferry-02"
    with pytest.raises(LandfallError, match=f"already speaks for {KIOSK}"):
        enrolled(desk, kiosk)


def test_the_code_is_nowhere_in_the_database(desk):
    code, _ = desk.invite(KIOSK, DAY)
    with database.writing(desk.engine) as connection:
        found = register.latest_invitation(connection, KIOSK)
    assert code not in str([getattr(found, name) for name in found.__slots__])
    assert code.replace("-", "") not in str([getattr(found, name) for name in found.__slots__])
