"""A batch killed at any moment loses nothing and goes on: a short round of the harness."""

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")
def test_killed_batches_lose_no_epoch_and_end_bit_identical():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reliability.kill", "--runs", "4", "--seed", "3"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ended bit-identical       4 of 4" in done.stdout
