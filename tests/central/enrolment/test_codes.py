import re

from central.enrolment.codes import hash_code, is_code, new_code, new_salt


def test_a_code_has_80_random_bits_in_letters_that_nobody_mixes_up():
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)


def test_letters_that_look_alike_are_one():
    assert hash_code("0l1i-oO00", "s") == hash_code("0111 0000", "s")


def test_another_code_or_another_salt_does_not_fit():
    code, salt = new_code(), new_salt()
    kept = hash_code(code, salt)
    assert is_code(code, salt, kept)
    assert not is_code(new_code(), salt, kept)
    assert not is_code(code, new_salt(), kept)
    assert not is_code("", salt, kept)
    assert not is_code("é" * 1000, salt, kept)
