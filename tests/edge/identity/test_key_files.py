import os
import stat

import pytest

from edge.errors import ProvisioningError
from edge.identity import key_files
from edge.identity.key_files import make_folder, read_private, remove_drafts, replace, write_private, write_public


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_is_its_owners_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        write_private(tmp_path / "a.key", b"secret")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a.key") == 0o600
    assert (tmp_path / "a.key").read_bytes() == b"secret"


def test_a_public_file_can_be_read_by_all_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        write_public(tmp_path / "a.crt", b"open")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a.crt") == 0o644


def test_a_key_is_never_open_to_others_not_even_while_it_is_written(tmp_path, monkeypatch):
    seen = []
    link = os.link
    monkeypatch.setattr(key_files.os, "link", lambda source, target: (seen.append(mode(source)), link(source, target)))
    opened = os.open
    monkeypatch.setattr(key_files.os, "open", lambda *given: (seen.append(given[2:]), opened(*given))[1])
    write_private(tmp_path / "a.key", b"secret")
    assert seen == [(0o600,), 0o600, ()]


def test_an_existing_file_is_never_overwritten(tmp_path):
    write_private(tmp_path / "a.key", b"first")
    with pytest.raises(ProvisioningError, match=r"a\.key: exists already; choose another folder"):
        write_private(tmp_path / "a.key", b"second")
    assert (tmp_path / "a.key").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a.key"]


def test_a_dangling_link_in_the_way_is_not_followed(tmp_path):
    (tmp_path / "a.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProvisioningError, match="exists already"):
        write_private(tmp_path / "a.key", b"secret")
    assert not (tmp_path / "elsewhere").exists()


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(key_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(tmp_path / "a.key", b"secret")
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_is_its_owners_alone_and_an_old_one_stays_as_it_is(tmp_path):
    make_folder(tmp_path / "new" / "deep")
    assert mode(tmp_path / "new" / "deep") == 0o700
    (tmp_path / "old").mkdir(mode=0o755)
    make_folder(tmp_path / "old")
    assert mode(tmp_path / "old") == 0o755


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ProvisioningError, match="file: is not a folder"):
        make_folder(tmp_path / "file")


def test_a_replaced_file_has_its_new_content_and_mode_and_no_draft_is_left(tmp_path):
    replace(tmp_path / "a.crt", b"one")
    replace(tmp_path / "a.crt", b"two", 0o600)
    assert (tmp_path / "a.crt").read_bytes() == b"two"
    assert mode(tmp_path / "a.crt") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a.crt"]


def test_only_drafts_are_removed(tmp_path):
    for name in (".a.key.0123456789abcdef", ".bashrc", ".a.0123", "a.key"):
        (tmp_path / name).touch()
    remove_drafts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.0123", ".bashrc", "a.key"]


def test_a_private_file_that_others_may_read_is_not_read(tmp_path):
    write_public(tmp_path / "a.key", b"secret")
    with pytest.raises(ProvisioningError, match="chmod 0600"):
        read_private(tmp_path / "a.key")
