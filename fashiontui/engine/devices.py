"""Devices that are really there, and how a run is placed on one."""

import ctypes
import os
import platform
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from fashiontui.domain.errors import DeviceError, UsageError
from fashiontui.domain.spec import Kernels, Precision

# cuBLAS reads this when a process first uses it; without it, its sums may differ between runs.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names that glibc's malloc.h has for two of its settings."""
_NAME = re.compile(r"auto|cpu|mps|cuda(:[0-9]{1,3})?")


@dataclass(frozen=True)
class Placement:
    """Where and how a run computes."""

    device: torch.device
    precision: Precision
    threads: int
    """CPU threads for one operation."""
    kernels: Kernels = "torch"
    """What computes convolutions; ``rows`` in fp32 on CPUs alone."""

    @property
    def device_name(self) -> str:
        """What the device calls itself."""
        return describe(self.device)

    def apply(self) -> None:
        """Set torch up for it, in the thread that calls; the same inputs then give the same bits.

        Denormals are flushed to zero: they carry no information here and cost a hundredfold.
        """
        _keep_freed_memory()
        torch.set_num_threads(self.threads)
        torch.set_flush_denormal(True)
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False

    def synchronize(self) -> None:
        """Wait for everything the device was told to do."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()


def available_devices() -> list[torch.device]:
    """Every device that can train, the one ``auto`` takes first."""
    cuda = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    mps = [torch.device("mps")] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, torch.device("cpu")]


def find_device(name: str) -> torch.device:
    """The device of that name: auto, cpu, cuda, cuda:N or mps.

    Raises:
        UsageError: devices are not named so.
        DeviceError: this machine has no such device.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"Unknown device {name!r}; choose auto, cpu, cuda, cuda:1 or mps.")
    devices = available_devices()
    if name == "auto":
        return devices[0]
    wanted = torch.device("cuda:0" if name == "cuda" else name)
    if wanted not in devices:
        present = ", ".join(str(device) for device in devices)
        raise DeviceError(f"There is no device {name} on this machine; it has {present}.")
    return wanted


def describe(device: torch.device) -> str:
    """What the device calls itself: "NVIDIA H100 80GB HBM3", "AMD EPYC"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return _processor_name()


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes(device: torch.device) -> int:
    """Memory a run can use on it: the card's own, or the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    import psutil  # machines that only run benchmarks/gpu.py may lack it

    return int(psutil.virtual_memory().total)


@cache
def _keep_freed_memory() -> None:
    """Have glibc keep what a step frees for the next step, for the whole process.

    Otherwise large tensors go back to the system at every step and are cleared page by page when
    they come again: a tenth of the time that a CNN's step takes. Other C libraries have no such
    setting.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, 32 * 2**20)  # as much as it can be; what is larger goes back
        libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def _processor_name() -> str:
    """The processor's marketing name; Python's own ``platform.processor`` is empty on Linux."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()
