"""The same kills as in test_replay_kill.py while messages are sent back to their queue: there each copy is a delivery."""

import pytest
from test_replay_kill import LONG, POINTS, STRACE, kill_at_points


@pytest.mark.skipif(not STRACE, reason="strace is not installed")
def test_redrive_kill():
    kill_at_points(POINTS // 10 if LONG else 12, redrive=True)  # looking for copies that come back takes seconds each time
