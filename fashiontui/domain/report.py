"""The report this program grew from, as data: its seven models and what it measured.

Source: "AMATH 482: Home Work 5", T. Zhou, 15 March 2024, tables 1 and 2. The CNN channels are not
printed there; these are the only two-convolution shapes with one output layer that give its counts.
"""

from dataclasses import dataclass

from fashiontui.domain.errors import UsageError
from fashiontui.domain.shapes import Shape

REPORT_BATCH = 256
"""Images per test batch behind the report's ± (88% of 256 images vary by 2.0 points)."""


@dataclass(frozen=True)
class ReportModel:
    """One of the report's models and its row in the report's tables."""

    name: str
    arch: str
    shape: Shape
    budget: int
    report_weights: int
    """The count printed in the report."""
    val_accuracy: float
    """Validation accuracy in percent."""
    train_seconds: float
    test_accuracy: float
    """Test accuracy in percent."""
    test_batch_std: float
    """The report's ±: standard deviation of the accuracy over test batches, in points."""


REPORT_MODELS: dict[str, ReportModel] = {
    model.name: model
    for model in (
        ReportModel("fcn-50k", "fcn", (59, 49), 50_000, 49_255, 89.95, 60, 87.96, 2.09),
        ReportModel("fcn-100k", "fcn", (112, 106), 100_000, 99_898, 91.03, 62, 88.35, 1.80),
        ReportModel("fcn-200k", "fcn", (205, 189), 200_000, 199_859, 92.39, 65, 88.95, 1.75),
        ReportModel("cnn-10k", "cnn", (7, 14), 10_000, 9_516, 88.59, 318, 87.73, 2.39),
        ReportModel("cnn-20k", "cnn", (12, 24), 20_000, 19_306, 88.86, 432, 89.38, 1.76),
        ReportModel("cnn-50k", "cnn", (23, 46), 50_000, 49_644, 92.12, 739, 91.04, 1.49),
        ReportModel("cnn-100k", "cnn", (40, 64), 100_000, 96_474, 90.49, 1156, 91.36, 1.75),
    )
}


def report_model(name: str) -> ReportModel:
    """The report's model of that name.

    Raises:
        UsageError: there is none.
    """
    try:
        return REPORT_MODELS[name]
    except KeyError:
        known = ", ".join(REPORT_MODELS)
        raise UsageError(f"Unknown model {name!r}; choose one of {known}.") from None
