import pytest

from tests.harness.skip_policy import allowed_skips

CONFTEST = """
from tests.harness.skip_policy import SkipPolicy

def pytest_configure(config):
    config.pluginmanager.register(SkipPolicy({"test_allowed.py::*": "a reason"}))
"""
SKIPPED = "import pytest\n\ndef test_one():\n    pytest.skip('no reader here')\n"


@pytest.fixture
def run(pytester):
    pytester.makeconftest(CONFTEST)
    return pytester


def test_a_skip_that_nobody_allowed_fails_the_run_and_is_named(run):
    run.makepyfile(test_one=SKIPPED)
    result = run.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*skipped without leave*", "test_one.py::test_one: *no reader here*"])


def test_a_skip_that_is_allowed_passes(run):
    run.makepyfile(test_allowed=SKIPPED)
    assert run.runpytest_inprocess().ret == pytest.ExitCode.OK


def test_a_skip_by_mark_counts_like_a_call(run):
    run.makepyfile(test_one="import pytest\n\n@pytest.mark.skip(reason='later')\ndef test_one():\n    pass\n")
    assert run.runpytest_inprocess().ret == pytest.ExitCode.TESTS_FAILED


def test_a_module_skipped_as_a_whole_fails_the_run(run):
    run.makepyfile(test_one="import pytest\n\npytest.skip('not on this machine', allow_module_level=True)\n")
    run.makepyfile(test_two="def test_two():\n    pass\n")
    result = run.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["test_one.py: *not on this machine*"])


def test_an_expected_failure_is_no_skip(run):
    run.makepyfile(test_one="import pytest\n\n@pytest.mark.xfail\ndef test_one():\n    assert False\n")
    assert run.runpytest_inprocess().ret == pytest.ExitCode.OK


def test_node_ids_with_colons_are_read_one_a_line(tmp_path):
    file = tmp_path / "setup.cfg"
    file.write_text("[landfall:allowed-skips]\nskips =\n    a.py::test_x = no pty\n    a.py::test_y[1] = no root\n")
    assert allowed_skips(file) == {"a.py::test_x": "no pty", "a.py::test_y[1]": "no root"}


def test_an_empty_list_allows_nothing(tmp_path):
    file = tmp_path / "setup.cfg"
    file.write_text("[landfall:allowed-skips]\n")
    assert allowed_skips(file) == {}


def test_a_skip_needs_a_reason(tmp_path):
    file = tmp_path / "setup.cfg"
    file.write_text("[landfall:allowed-skips]\nskips =\n    a.py::test_x =\n")
    with pytest.raises(ValueError, match="must say why"):
        allowed_skips(file)
