"""Python from 3.11 on sleeps with clock_nanosleep(2) until a time, which libfaketime 0.9.10 refuses (EINVAL)."""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
