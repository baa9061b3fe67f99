"""Networks as files for other programs: the same network, whole, whatever reads it."""

import json
import subprocess
import sys

import msgspec
import numpy as np
import pytest
import torch
from making import made_record, made_spec
from safetensors.numpy import load
from safetensors.torch import load as load_torch

from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import ExportError
from fashiontui.domain.spec import RunSpec
from fashiontui.export.model import (
    Checked,
    as_int8,
    as_onnx,
    as_safetensors,
    check,
    folded,
    refuse_other,
)
from fashiontui.models import build
from fashiontui.models.parts import BatchNorm

SHAPES = {"fcn": (9, 7), "cnn": (4, 6), "resnet": (4, 6), "dsconv": (6, 8)}


def trained(arch, **settings):
    """A record, and its network with normalisation that has seen something."""
    spec = made_spec(arch, SHAPES[arch], dataset="sample", **settings)
    network = build(spec, torch.Generator())
    random = torch.Generator().manual_seed(1)
    for part in network.modules():
        if isinstance(part, BatchNorm):
            part.running_mean.normal_(0, 0.5, generator=random)
            part.running_var.uniform_(0.2, 3, generator=random)
            part.bias.data.normal_(0, 0.5, generator=random)
    return made_record(spec=spec), network.eval()


@pytest.mark.parametrize("arch", SHAPES)
def test_normalisation_is_folded_into_the_layer_before_it(arch):
    _, network = trained(arch, batch_norm=True)
    plain = folded(network)
    assert not any(isinstance(part, BatchNorm) for part in plain.modules())
    pixels = torch.randn(20, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        assert torch.allclose(network(pixels), plain(pixels), atol=1e-4)
    assert any(isinstance(part, BatchNorm) for part in network.modules())


def test_safetensors_hold_every_parameter_and_what_they_are():
    record, network = trained("cnn", batch_norm=True)
    content = as_safetensors(network, record)
    kept = load(content)
    state = network.state_dict()
    assert kept.keys() == state.keys()
    assert all(np.array_equal(kept[name], tensor.numpy()) for name, tensor in state.items())
    again = build(record.spec, torch.Generator())
    again.load_state_dict(load_torch(content))
    length = int.from_bytes(content[:8], "little")
    facts = json.loads(content[8 : 8 + length])["__metadata__"]
    assert msgspec.json.decode(facts["spec"], type=RunSpec) == record.spec
    assert json.loads(facts["classes"])[9] == "Ankle boot"


@pytest.mark.parametrize(
    ("arch", "settings"), [("fcn", {}), ("cnn", {"batch_norm": True}), ("resnet", {})]
)
def test_onnx_agrees_with_torch_on_the_whole_test_set(arch, settings):
    record, network = trained(arch, **settings)
    checked = check(as_onnx(network, record), network, sample_set())
    assert (checked.images, checked.agreeing) == (1000, 1000)
    assert checked.difference < 1e-3
    assert checked.accuracy == checked.torch_accuracy
    refuse_other(checked)


def test_an_onnx_network_that_differs_is_refused():
    with pytest.raises(ExportError, match=r"logits differ by 0\.5"):
        refuse_other(Checked(1000, 999, 0.5, 90.0, 90.0))
    with pytest.raises(ExportError, match="logits differ by nan"):
        refuse_other(Checked(1000, 0, float("nan"), 10.0, 90.0))


RUN = """
import sys
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
[images] = session.get_inputs()
assert (images.name, images.type, images.shape[1:]) == ("images", "tensor(uint8)", [1, 28, 28])
numpy.save(sys.argv[3], session.run(None, {"images": numpy.load(sys.argv[2])})[0])
assert "torch" not in sys.modules and "fashiontui" not in sys.modules
"""


def test_another_program_runs_the_onnx_file_without_torch_and_without_us(tmp_path):
    record, network = trained("cnn", batch_norm=True)
    (tmp_path / "network.onnx").write_bytes(as_onnx(network, record))
    images = sample_set().test_images[:7]
    np.save(tmp_path / "images.npy", images.numpy())
    files = [str(tmp_path / name) for name in ("network.onnx", "images.npy", "logits.npy")]
    subprocess.run([sys.executable, "-c", RUN, *files], check=True, cwd=tmp_path)
    logits = np.load(tmp_path / "logits.npy")
    assert logits.shape == (7, 10)


def test_int8_takes_a_quarter_and_finds_nearly_the_same_classes():
    record, network = trained("fcn")
    record_large = made_spec("fcn", (64,), dataset="sample")
    network = build(record_large, torch.Generator()).eval()
    exact = as_onnx(network, record)
    rounded = as_int8(exact, sample_set(), split_seed=0)
    assert len(rounded) < 0.32 * len(exact)
    checked = check(rounded, network, sample_set())
    assert checked.agreeing > 900
