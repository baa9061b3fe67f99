"""Weights are counted exactly, by the true rule and by the report's."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashiontui.domain import families
from fashiontui.domain.errors import UsageError
from fashiontui.domain.report import REPORT_MODELS, report_model
from fashiontui.domain.shapes import FAMILIES, family_named

FCN, CNN = FAMILIES["fcn"], FAMILIES["cnn"]
RESNET, DSCONV = FAMILIES["resnet"], FAMILIES["dsconv"]

REPORT = [
    # name, shape as the report writes it, its count, true count: from the report's own page
    ("fcn-50k", (59, 49), "784-59-49-10", 49_255, 49_755),
    ("fcn-100k", (112, 106), "784-112-106-10", 99_898, 100_968),
    ("fcn-200k", (205, 189), "784-205-189-10", 199_859, 201_759),
    ("cnn-10k", (7, 14), "1-7-14-10", 9_516, 9_516),
    ("cnn-20k", (12, 24), "1-12-24-10", 19_306, 19_306),
    ("cnn-50k", (23, 46), "1-23-46-10", 49_644, 49_644),
    ("cnn-100k", (40, 64), "1-40-64-10", 96_474, 96_474),
]


@pytest.mark.parametrize(("name", "shape", "written", "report_count", "true_count"), REPORT)
def test_a_report_model_has_the_reports_count_and_its_true_count(
    name, shape, written, report_count, true_count
):
    model = REPORT_MODELS[name]
    family = family_named(model.arch)
    assert model.shape == shape
    assert model.report_weights == report_count
    assert family.report_weights(shape) == report_count
    assert family.weights(shape) == true_count


@pytest.mark.parametrize(("name", "shape", "written", "report_count", "true_count"), REPORT)
def test_a_shape_is_written_as_the_report_writes_it(name, shape, written, report_count, true_count):
    assert family_named(REPORT_MODELS[name].arch).describe(shape) == written


def test_the_report_models_are_the_seven_of_its_tables():
    assert list(REPORT_MODELS) == [row[0] for row in REPORT]


def test_only_the_two_larger_fcns_exceed_their_own_budget_by_the_true_count():
    over = [
        model.name
        for model in REPORT_MODELS.values()
        if family_named(model.arch).weights(model.shape) > model.budget
    ]
    assert over == ["fcn-100k", "fcn-200k"]


@pytest.mark.parametrize(
    ("name", "val", "seconds", "test", "spread"),
    [
        ("fcn-50k", 89.95, 60, 87.96, 2.09),
        ("fcn-100k", 91.03, 62, 88.35, 1.80),
        ("fcn-200k", 92.39, 65, 88.95, 1.75),
        ("cnn-10k", 88.59, 5 * 60 + 18, 87.73, 2.39),
        ("cnn-20k", 88.86, 7 * 60 + 12, 89.38, 1.76),
        ("cnn-50k", 92.12, 12 * 60 + 19, 91.04, 1.49),
        ("cnn-100k", 90.49, 19 * 60 + 16, 91.36, 1.75),
    ],
)
def test_a_report_model_carries_the_figures_of_the_reports_tables(name, val, seconds, test, spread):
    model = report_model(name)
    assert (model.val_accuracy, model.train_seconds) == (val, seconds)
    assert (model.test_accuracy, model.test_batch_std) == (test, spread)


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match=r"'fcn-1k'.*fcn-50k.*cnn-100k"):
        report_model("fcn-1k")


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8).map(tuple))
def test_an_fcn_counts_every_matrix_entry_and_every_bias(hidden):
    widths = [784, *hidden, 10]
    matrices = sum(widths[i] * widths[i + 1] for i in range(len(widths) - 1))
    assert FCN.weights(hidden) == matrices + sum(widths[1:])


@given(st.lists(st.integers(1, 80), min_size=1, max_size=4).map(tuple))
def test_a_cnn_counts_every_kernel_and_every_bias(channels):
    side = {1: 14, 2: 7, 3: 3, 4: 1}[len(channels)]
    before = [1, *channels[:-1]]
    kernels = sum(25 * a * b for a, b in zip(before, channels, strict=True))
    output = 10 * channels[-1] * side**2
    assert CNN.weights(channels) == kernels + sum(channels) + output + 10


@settings(derandomize=True)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=8).map(tuple))
def test_the_reports_fcn_count_leaves_out_exactly_the_output_layer(hidden):
    assert FCN.weights(hidden) - FCN.report_weights(hidden) == 10 * (hidden[-1] + 1)


@given(st.lists(st.integers(1, 80), min_size=1, max_size=4).map(tuple))
def test_the_reports_cnn_count_is_the_true_count(channels):
    assert CNN.report_weights(channels) == CNN.weights(channels)


@given(st.lists(st.integers(1, 80), min_size=1, max_size=12).map(tuple))
def test_a_resnet_counts_two_3x3_convolutions_a_block_and_nothing_for_shortcuts(channels):
    stem = 9 * channels[0]
    kernels = sum(9 * a * b + 9 * b * b for a, b in pairwise((channels[0], *channels)))
    biases = channels[0] + 2 * sum(channels)
    assert RESNET.weights(channels) == stem + kernels + biases + 10 * (channels[-1] + 1)


@given(st.lists(st.integers(1, 80), min_size=1, max_size=16).map(tuple))
def test_a_dsconv_counts_a_3x3_kernel_a_channel_and_a_1x1_matrix_a_block(channels):
    stem = (9 + 1) * channels[0]
    blocks = sum((9 + 1) * a + (a + 1) * b for a, b in pairwise((channels[0], *channels)))
    assert DSCONV.weights(channels) == stem + blocks + 10 * (channels[-1] + 1)


def test_the_report_has_no_count_of_the_compact_families():
    assert RESNET.report_weights((4, 8)) is None
    assert DSCONV.report_weights((4, 8)) is None


def test_the_reports_families_come_first_and_the_others_by_name():
    fcn, cnn, *others = FAMILIES
    assert (fcn, cnn) == ("fcn", "cnn")
    assert {"dsconv", "resnet"} <= set(others)
    assert others == sorted(others)


def test_every_file_of_families_is_one_family_of_that_name():
    files = Path(families.__file__).parent.glob("[!_]*.py")
    assert {file.stem for file in files} == set(FAMILIES)


def test_families_are_told_apart_by_name_title_and_marker():
    for told in ("name", "title", "about", "marker"):
        assert len({getattr(family, told) for family in FAMILIES.values()}) == len(FAMILIES)


@given(
    st.sampled_from(list(FAMILIES.values())),
    st.lists(st.integers(1, 80), min_size=1, max_size=4).map(tuple),
)
def test_the_weights_of_a_network_are_the_sum_of_its_layers(family, shape):
    layers = family.layers(shape)
    assert sum(layer.weights for layer in layers) == family.weights(shape)
    assert layers[-1].output == (10,)
    assert len({layer.name for layer in layers}) == len(layers)


def test_the_layers_of_a_cnn_halve_the_image_rounding_down():
    outputs = [layer.output for layer in CNN.layers((2, 3, 4, 5))]
    assert outputs == [(2, 28, 28), (3, 14, 14), (4, 7, 7), (5, 3, 3), (10,)]


@pytest.mark.parametrize("family", [RESNET, DSCONV], ids=["resnet", "dsconv"])
def test_compact_families_halve_the_image_where_the_width_changes_rounding_up(family):
    layers = family.layers((4, 4, 6, 5, 5, 9))
    assert layers[0].output == (4, 28, 28)  # the stem's, in front of its pooling
    ends = [layer.output for layer in layers if layer.name.startswith(("point", "block"))]
    assert {width: side for width, side, _ in ends} == {4: 14, 6: 7, 5: 4, 9: 2}


def test_layers_are_named_after_what_they_are():
    assert [layer.name for layer in FCN.layers((5, 4))] == ["hidden1", "hidden2", "output"]
    assert [layer.name for layer in CNN.layers((5, 4))] == ["conv1", "conv2", "output"]
    assert [layer.name for layer in RESNET.layers((5,))] == ["stem", "block1a", "block1b", "output"]
    assert [layer.name for layer in DSCONV.layers((5,))] == ["stem", "depth1", "point1", "output"]


@pytest.mark.parametrize(
    ("family", "shape"),
    [
        (FCN, ()),
        (FCN, (0,)),
        (FCN, (5, -1)),
        (FCN, (1,) * 9),
        (CNN, ()),
        (CNN, (0, 4)),
        (CNN, (1,) * 5),
        (RESNET, ()),
        (RESNET, (4, 0)),
        (RESNET, (1,) * 13),
        (DSCONV, (1,) * 17),
    ],
)
def test_a_shape_the_family_cannot_build_is_refused(family, shape):
    with pytest.raises(UsageError, match=family.title):
        family.check(shape)


@pytest.mark.parametrize(("family", "shape"), [(FCN, (1,) * 8), (CNN, (1,) * 4), (CNN, (3,))])
def test_the_deepest_and_the_shallowest_shapes_are_legal(family, shape):
    assert family.check(shape) == shape


def test_an_unknown_family_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match=r"'rnn'.*fcn, cnn"):
        family_named("rnn")
