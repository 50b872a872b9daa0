from pathlib import Path

import pytest

CONFTEST = """
import threading
from tests.harness.leftovers import Leftovers

gate = threading.Event()

def pytest_configure(config):
    config.pluginmanager.register(Leftovers())

def pytest_unconfigure():
    gate.set()
"""
# The child ends by itself when this run's end of its pipe closes, so even a broken watcher leaves nothing behind.
STARTS_A_CHILD = """
import subprocess, sys

left = []

def test_one():
    left.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
"""
STARTS_A_THREAD = """
import threading
from conftest import gate

def test_one():
    threading.Thread(target=gate.wait, name="reader").start()
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run in an interpreter of its own: this run's brokers and databases are none of its business."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makeconftest(CONFTEST)
    return pytester


def test_a_child_that_outlives_the_run_fails_it(run):
    run.makepyfile(test_one=STARTS_A_CHILD)
    result = run.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*left running after the tests*", "process *: *input()*"])


def test_a_child_that_outlives_one_of_several_workers_fails_the_run(run):
    run.makepyfile(test_one=STARTS_A_CHILD)
    result = run.runpytest_subprocess("--numprocesses", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*left running after the tests*", "process *: *input()*"])


def test_a_child_that_nobody_waited_for_fails_the_run(run):
    run.makepyfile(test_one="import os\n\ndef test_one():\n    os.fork() or os._exit(0)\n")
    result = run.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["process *"])


def test_a_thread_that_outlives_the_run_fails_it(run):
    run.makepyfile(test_one=STARTS_A_THREAD)
    result = run.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["thread reader"])


def test_a_tidy_run_passes(run):
    run.makepyfile(test_one="import subprocess\n\ndef test_one():\n    subprocess.run(['true'], check=True)\n")
    assert run.runpytest_subprocess().ret == pytest.ExitCode.OK
    assert run.runpytest_subprocess("--numprocesses", "2").ret == pytest.ExitCode.OK
