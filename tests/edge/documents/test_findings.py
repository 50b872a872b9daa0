"""How remarks on one document become one verdict a check."""

from edge.documents.findings import Findings
from edge.documents.verdict import Result, Verdict


def test_a_check_that_nobody_spoke_about_passed():
    assert Findings(("names", "dates")).verdicts() == (Verdict("names", Result.OK), Verdict("dates", Result.OK))


def test_the_gravest_remark_decides_and_every_detail_stays():
    findings = Findings(("names",))
    findings.ok("names", "short")
    findings.failed("names", "wrong")
    findings.not_done("names", "late")
    findings.doubtful("names", "odd")
    assert findings.verdicts() == (Verdict("names", Result.FAILED, "short; wrong; late; odd"),)


def test_a_check_that_was_not_done_is_not_said_to_have_passed():
    findings = Findings(("names",))
    findings.ok("names", "short")
    findings.not_done("names", "clock unset")
    assert findings.verdicts()[0].result is Result.NOT_DONE


def test_the_same_detail_is_said_once_and_no_detail_grows_without_end():
    findings = Findings(("names",))
    for number in range(1000):
        findings.doubtful("names", "same")
        findings.doubtful("names", f"place {number}")
    [verdict] = findings.verdicts()
    assert verdict.detail.count("same") == 1
    assert len(verdict.detail) == 400


def test_it_knows_what_was_remarked():
    findings = Findings(("names", "dates"))
    findings.ok("names", "short")
    assert (findings.has("names"), findings.has("dates")) == (True, False)
