"""Which process a run belongs to, and whether that process lives."""

import os
import socket

import psutil


def owner() -> dict[str, str | int | float]:
    """The columns that say which process a run belongs to: this one."""
    return {
        "owner_host": socket.gethostname(),
        "owner_pid": os.getpid(),
        "owner_started": psutil.Process().create_time(),
    }


def lives(pid: int, started: float) -> bool:
    """Whether the process that had this number at that time still runs."""
    try:
        process = psutil.Process(pid)
        zombie = process.status() == psutil.STATUS_ZOMBIE  # killed, and nobody asked how it ended
        return not zombie and abs(process.create_time() - started) < 1
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
