"""Max pooling for training on CPUs is torch's own, to the bit, in every layout."""

import pytest
import torch
from torch.nn import functional as F

from fashiontui.models.pooling import MaxPool

LAYOUTS = {
    "contiguous": lambda images: images.contiguous(),
    "channels last": lambda images: images.contiguous(memory_format=torch.channels_last),
    "rows": lambda images: images.permute(2, 1, 3, 0).contiguous().permute(3, 1, 0, 2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(28, 28), (9, 10), (2, 3), (7, 7)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_values_and_gradient_are_torchs_also_where_values_are_equal(layout, size, dtype):
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(4, 3, *size, generator=generator).round().to(dtype)
    images = LAYOUTS[layout](drawn).requires_grad_()
    found, expected = MaxPool()(images), F.max_pool2d(images, 2)
    onto = torch.randn(*expected.shape, generator=generator).to(dtype)
    assert torch.equal(found, expected)
    [one], [other] = (torch.autograd.grad(result, images, onto) for result in (found, expected))
    assert torch.equal(one, other)
    assert one.stride() == images.stride()  # what is computed next need not copy it


def test_a_network_that_is_scored_or_exported_pools_by_torch():
    pool = MaxPool().eval()
    images = torch.zeros(1, 1, 4, 4, requires_grad=True)
    assert "MaxPool2DWithIndices" in type(pool(images).grad_fn).__name__
