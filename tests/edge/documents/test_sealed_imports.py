"""Reading a boarding pass must not pay for certificates: heavy libraries load when a document needs them."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("base45", "cbor2", "cryptography", "ecdsa", "rfc8785")


def test_importing_the_standards_loads_no_cryptography_and_no_cbor():
    names = "dcc, trust, vds, vds_nc"
    script = f"import sys; from edge.documents import {names}; print([m for m in {HEAVY!r} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"
