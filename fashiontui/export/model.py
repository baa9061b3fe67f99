"""A stored run's network as a file for other programs: safetensors, ONNX, ONNX in int8.

The ONNX networks take images as the data set has them, uint8 (n, 1, 28, 28), and give logits,
float32 (n, 10): scaling the pixels is part of them, normalisation is folded into its layers.
"""

import io
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

from fashiontui.data import Dataset
from fashiontui.data.dataset import split
from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.errors import ExportError
from fashiontui.domain.extras import extra
from fashiontui.domain.record import RunRecord
from fashiontui.engine.step import PIXEL_MEAN, PIXEL_STD
from fashiontui.models.parts import BatchNorm

BATCH = 1000
"""Images scored at once."""
TOLERANCE = 1e-3
"""Largest difference between the logits of two libraries that rounding explains."""
CALIBRATION_IMAGES = 1000
"""Training images that int8's ranges of activations are measured on."""
OPSET = 18
"""Of ONNX: known to onnxruntime since 2022, and the one that torch writes without converting."""


NORM_EPSILON = 1e-5
"""What torch's ``batch_norm`` adds to a variance unless told otherwise."""
QUANTISED = ["Conv", "Gemm", "MatMul", "MaxPool", "Relu", "Reshape", "Add", "AveragePool"]
"""Operations done in 8 bits; scaling the pixels stays exact."""


@dataclass(frozen=True)
class Checked:
    """How an ONNX network did on the whole test set."""

    images: int
    agreeing: int
    """Images of the same class as torch finds in single precision."""
    difference: float
    """Largest difference between a logit and torch's."""
    accuracy: float
    """Test accuracy in percent."""
    torch_accuracy: float
    """Test accuracy of torch in single precision, in percent."""


class Portable(nn.Module):
    """A network with the scaling of its pixels."""

    def __init__(self, model: nn.Module) -> None:
        """Args:
        model: From scaled pixels to logits, set to predict.
        """
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Logits float32 (n, 10) of images uint8 (n, 1, 28, 28)."""
        logits: Tensor = self.model((images.to(torch.float32) - PIXEL_MEAN) * (1 / PIXEL_STD))
        return logits


def folded(model: nn.Module) -> nn.Module:
    """A copy of a network whose normalisation is part of the convolution or layer before it.

    A max pooling in between does not matter: normalisation with a scale of 1 keeps the order of
    values, so the largest of some stays the largest.
    """
    model = deepcopy(model)
    for sequence in [part for part in model.modules() if isinstance(part, nn.Sequential)]:
        before: nn.Conv2d | nn.Linear | None = None
        for name, part in list(sequence.named_children()):
            if isinstance(part, nn.Conv2d | nn.Linear):
                before = part
            elif isinstance(part, BatchNorm) and before is not None:
                fuse = (
                    fuse_conv_bn_weights
                    if isinstance(before, nn.Conv2d)
                    else fuse_linear_bn_weights
                )
                before.weight, before.bias = fuse(
                    before.weight,
                    before.bias,
                    part.running_mean,
                    part.running_var,
                    NORM_EPSILON,
                    part.scale,
                    part.bias,
                )
                setattr(sequence, name, nn.Identity())
            elif not isinstance(part, nn.MaxPool2d):
                before = None
    return model


def as_safetensors(model: nn.Module, record: RunRecord) -> bytes:
    """Parameters and running statistics by their names in the network, the spec as metadata."""
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    packed: bytes = safetensors.torch.save(tensors, {"format": "pt", **_facts(record)})
    return packed


def as_onnx(model: nn.Module, record: RunRecord) -> bytes:
    """The network as ONNX, in single precision.

    Raises:
        UsageError: the packages for it are not installed.
    """
    with extra("onnx", "Writing ONNX"):
        import onnx
        import onnxscript  # noqa: F401  # torch's exporter needs it

    images = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    with _quiet():
        program = torch.onnx.export(
            Portable(folded(model)).eval(),
            (images,),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes={"images": {0: torch.export.Dim("n")}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    onnx.helper.set_model_props(proto, _facts(record))
    return _packed(proto)


def as_int8(content: bytes, data: Dataset, split_seed: int) -> bytes:
    """An ONNX network with weights and activations of 8 bits (static quantisation, QDQ).

    The ranges of activations are those of the first training images of the run's split; neither
    validation nor test images are looked at.

    Args:
        content: From ``as_onnx``.
        data: What the run learnt from, on the CPU.
        split_seed: Of the run.

    Raises:
        UsageError: the packages for it are not installed.
    """
    with extra("onnx", "Quantising"):
        import onnx
        from onnxruntime import quantization
        from onnxruntime.quantization.shape_inference import quant_pre_process

    training, _ = split(data.labels, split_seed)
    images = data.images[training[:CALIBRATION_IMAGES]].numpy()
    with TemporaryDirectory() as folder, _quiet():
        original, prepared, written = (Path(folder) / f"{n}.onnx" for n in ("fp32", "read", "int8"))
        original.write_bytes(content)
        quant_pre_process(original, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared,
            written,
            _reader(images, quantization.CalibrationDataReader),
            op_types_to_quantize=QUANTISED,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        quantised = onnx.load(written)
    del quantised.metadata_props[:]  # what the steps in between noted
    quantised.metadata_props.extend(onnx.load_from_string(content).metadata_props)
    return _packed(quantised)


def check(content: bytes, model: nn.Module, data: Dataset) -> Checked:
    """Score an ONNX network by onnxruntime, and the same network by torch, on the test set.

    Args:
        content: The ONNX file.
        model: The network it was made from, on the CPU, set to predict.
        data: With the test set, on the CPU.

    Raises:
        UsageError: onnxruntime is not installed.
    """
    with extra("onnx", "Checking ONNX"):
        import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; it warns of initialisers it removes itself
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    ours, theirs = [], []
    portable = Portable(model).eval()
    for start in range(0, len(data.test_images), BATCH):
        images = data.test_images[start : start + BATCH]
        with torch.inference_mode():
            ours.append(portable(images).numpy())
        theirs.append(session.run(["logits"], {"images": images.numpy()})[0])
    by_torch, by_onnx = np.concatenate(ours), np.concatenate(theirs)
    labels = data.test_labels.numpy()
    return Checked(
        images=len(labels),
        agreeing=int((by_torch.argmax(1) == by_onnx.argmax(1)).sum()),
        difference=float(np.abs(by_torch - by_onnx).max()),
        accuracy=100 * float((by_onnx.argmax(1) == labels).mean()),
        torch_accuracy=100 * float((by_torch.argmax(1) == labels).mean()),
    )


def refuse_other(checked: Checked) -> None:
    """Say no to an ONNX network that is not the one it was made from.

    Raises:
        ExportError: its logits differ by more than rounding explains.
    """
    if not checked.difference <= TOLERANCE:
        raise ExportError(
            f"The ONNX network is not the stored one: logits differ by {checked.difference:.3g}; "
            "nothing was written. Please report it with the versions of torch and onnxruntime."
        )


def _facts(record: RunRecord) -> dict[str, str]:
    """What somebody who finds the file should know."""
    return {
        "title": record.spec.title,
        "run": record.id,
        "spec": msgspec.json.encode(record.spec).decode(),
        "classes": json.dumps(CLASS_NAMES),
        "pixel_mean": str(PIXEL_MEAN),
        "pixel_std": str(PIXEL_STD),
    }


def _packed(proto: Any) -> bytes:
    """An ONNX network as a file, without what exporters note about their own work."""
    del proto.graph.value_info[:]
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    packed: bytes = proto.SerializeToString()
    return packed


def _reader(images: np.ndarray, base: type) -> Any:
    """The images one batch after the other, as onnxruntime wants to be given them."""

    class Batches(base):  # type: ignore[misc]  # the base is known when onnxruntime is
        def __init__(self, batches: Sequence[np.ndarray]) -> None:
            self._left = iter(batches)

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self._left, None)
            return None if batch is None else {"images": batch}

    return Batches(np.array_split(images, max(1, len(images) // 100)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' own narration, and warnings about their own code, from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            warnings.filterwarnings("ignore", category=FutureWarning)
            yield
    finally:
        logging.disable(before)
