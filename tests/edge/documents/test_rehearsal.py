"""What the first traveller would wait for is there before: in a process of its own, where nothing was imported yet."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from datetime import date
from typing import get_args
from edge.settings import DocumentClass
from edge.documents.read import read
from edge.documents.rehearsal import rehearse
from tests.hw.framing.samples import AAMVA, BCBP, DCC, TD1, TD2, TD3, VDS, VDS_NC
rehearse(get_args(DocumentClass))
before = set(sys.modules)
documents = [b"\\n".join(lines) for lines in (TD1, TD2, TD3)] + [AAMVA, BCBP, DCC, VDS, VDS_NC, b"%UTERIKSSON$ANNA?"]
kinds = [read(payload, today=date(2026, 11, 22), health=True).kind for payload in documents]
print(kinds.count("unknown"), sorted(set(sys.modules) - before))
"""

FOR_VISAS = """
import sys
from edge.documents.rehearsal import rehearse
rehearse(["visa"])
print("edge.documents.mrz" in sys.modules, "edge.documents.vds" in sys.modules)
"""


def test_after_the_rehearsal_no_first_document_of_a_kind_loads_anything():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "0 []"


def test_a_standard_that_no_lane_wants_is_not_loaded():
    ran = subprocess.run([sys.executable, "-c", FOR_VISAS], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "True False"
