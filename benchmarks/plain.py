"""The script a user would write instead: torchvision's data set, DataLoader, Adam, plain layers.

The report's protocol in ordinary PyTorch: ToTensor and Normalize for every image of every epoch,
batches of 512, validation after each epoch. The benchmarks time it beside fashiontui.
"""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import FashionMNIST

from fashiontui.domain.report import ReportModel

BATCH = 512


def loaders(root: Path) -> tuple[DataLoader, DataLoader]:
    """Training and validation batches of Fashion-MNIST below ``root``, unpacked there."""
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))]
    )
    images = FashionMNIST(str(root), train=True, transform=transform, download=True)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0)).tolist()
    return (
        DataLoader(Subset(images, order[6000:]), batch_size=BATCH, shuffle=True),
        DataLoader(Subset(images, order[:6000]), batch_size=BATCH),
    )


def network(model: ReportModel) -> nn.Module:
    """One of the report's models as anyone would write it."""
    if model.arch == "fcn":
        first, second = model.shape
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, first),
            nn.ReLU(),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(second, 10),
        )
    first, second = model.shape
    return nn.Sequential(
        nn.Conv2d(1, first, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(second * 49, 10),
    )


def epoch_seconds(model: ReportModel, root: Path) -> Iterator[float]:
    """Train for ever; yield the seconds of each epoch with its validation."""
    training, validation = loaders(root)
    net = network(model)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    while True:
        began = perf_counter()
        net.train()
        for images, labels in training:
            optimizer.zero_grad()
            loss = loss_of(net(images), labels)
            loss.backward()
            optimizer.step()
        net.eval()
        correct = 0
        with torch.no_grad():
            for images, labels in validation:
                correct += (net(images).argmax(1) == labels).sum().item()
        yield perf_counter() - began
