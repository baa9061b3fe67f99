"""Steps of the report's CNNs on a CPU by torch's own kernels and by rows, taken in turn.

    python -m benchmarks.kernels --seconds 20

Forward and backward of random images on one thread, in the processor's time: the shortest of each,
in milliseconds. Also the rounding error of a convolution by rows, against float64.
"""

import argparse
from time import perf_counter, thread_time

import torch
from torch.nn import functional as F

from fashiontui.domain.plan import named_network, plan
from fashiontui.domain.recipe import Recipe, Settings
from fashiontui.domain.spec import Kernels
from fashiontui.models import build, rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="for each network")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    recipe = Recipe(name="kernels", settings=Settings(batch_norm=True))
    print("| | batch | torch | by rows | ratio |\n|:---|---:|---:|---:|---:|")
    for name, batch in {"cnn-10k": 256, "cnn-20k": 256, "cnn-50k": 128, "cnn-100k": 128}.items():
        [spec] = plan([named_network(name)], recipe, {}, [0])
        images, labels = torch.randn(batch, 1, 28, 28), torch.zeros(batch, dtype=torch.int64)
        taken: dict[Kernels, float] = {"torch": float("inf"), "rows": float("inf")}
        models = {
            of: build(spec, torch.Generator(), of).to(memory_format=torch.channels_last)
            for of in taken
        }
        end = perf_counter() + seconds
        while perf_counter() < end:
            for of, model in models.items():
                model.zero_grad()
                began = thread_time()
                F.cross_entropy(model(images), labels).backward()
                taken[of] = min(taken[of], thread_time() - began)
        ratio = taken["torch"] / taken["rows"]
        told = f"{1000 * taken['torch']:.0f} ms | {1000 * taken['rows']:.0f} ms | {ratio:.2f}"
        print(f"| {name} | {batch} | {told} |", flush=True)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(20, 40, 14, 14, dtype=torch.float64, generator=generator)
    kernels = torch.randn(64, 40, 5, 5, dtype=torch.float64, generator=generator)
    exact = F.conv2d(images, kernels, padding=2)
    for what, found in (
        ("torch", F.conv2d(images.float(), kernels.float(), padding=2)),
        ("by rows", rows.convolved(images.float(), kernels.float())),
    ):
        error = ((found - exact).square().mean().sqrt() / exact.std()).item()
        print(f"rounding error, {what}: {error:.1e} of the values' standard deviation")


if __name__ == "__main__":
    main()
