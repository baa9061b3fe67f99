"""Runs that differ by their seed alone are one result; conclusions rest on paired tests."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from making import made_epoch, made_predictions, made_record, made_spec, right_on
from msgspec import structs, to_builtins

from fashiontui.domain.conclusions import conclusions, difference
from fashiontui.domain.events import Status
from fashiontui.domain.results import in_order, of_one_recipe, results
from fashiontui.domain.spec import configuration
from fashiontui.domain.stats import batch_std, wilson_interval


def test_runs_are_grouped_by_everything_but_their_seed():
    runs = [made_record("fcn-50k", seed=0), made_record("cnn-10k"), made_record("fcn-50k", seed=1)]
    found = results(runs)
    assert [(result.title, len(result.runs)) for result in found] == [
        ("fcn-50k", 2),
        ("cnn-10k", 1),
    ]


@pytest.mark.parametrize("change", [{"lr": 0.5}, {"epochs": 2}, {"batch_norm": True}])
def test_runs_with_other_settings_are_other_results(change):
    other = made_record(spec=made_spec(model="fcn-50k", **change))
    assert len(results([made_record("fcn-50k"), other])) == 2


def test_another_machine_makes_no_other_result():
    specs = [made_spec(seed=0), structs.replace(made_spec(seed=1), device="cuda:1")]
    other = structs.replace(made_spec(seed=2), threads=4, kernels="torch", budget=9_999)
    by_rows = replace(made_record(spec=made_spec(seed=3)), kernels="rows")
    [result] = results([*(made_record(spec=spec) for spec in [*specs, other]), by_rows])
    assert result.seeds == [0, 1, 2, 3]


def test_another_precision_or_split_makes_another_result():
    bf16 = replace(made_record(), precision="bf16")
    split = made_record(spec=structs.replace(made_spec(model="fcn-50k"), split_seed=1))
    assert len(results([made_record(), bf16, split])) == 3


def test_runs_of_one_seed_count_once_and_the_last_one_counts():
    first, other = made_record(val_accuracy=80), made_record(seed=1)
    again = replace(made_record(val_accuracy=90), created=first.created + timedelta(hours=1))
    for runs in ([first, other, again], [again, other, first]):
        [result] = results(runs)
        assert sorted(result.seeds) == [0, 1]
        assert result.val_accuracies[result.seeds.index(0)] == 90


def test_a_spec_that_lacks_newer_settings_is_the_same_with_their_defaults():
    spec = to_builtins(made_spec(lr=0.5))
    older = {**spec, "settings": {"lr": 0.5, "epochs": 1}}
    assert configuration(older, "fp32") == configuration(spec, "fp32")
    assert configuration(older, "fp32") != configuration(spec, "bf16")


def test_runs_on_the_sample_set_are_other_results():
    runs = [made_record("fcn-50k"), made_record("fcn-50k", dataset="sample", seed=1)]
    assert len(results(runs)) == 2


@pytest.mark.parametrize(
    "status", [status for status in Status if status is not Status.FINISHED], ids=str
)
def test_runs_that_did_not_finish_are_no_results(status):
    assert results([made_record(status=status)]) == []


def test_a_result_is_the_mean_over_its_seeds():
    runs = [
        made_record(correct=right_on(0, 880), seed=0, val_accuracy=90, train_seconds=10),
        made_record(correct=right_on(0, 900), seed=1, val_accuracy=92, train_seconds=30),
    ]
    [result] = results(runs)
    assert result.test_accuracy == pytest.approx(89.0)
    assert result.val_accuracy == pytest.approx(91.0)
    assert result.train_seconds == pytest.approx(20.0)
    assert result.seed_std == result.val_std == pytest.approx(2**0.5)
    # t(0.975; 1 degree of freedom) = 12.706
    assert result.seed_interval == pytest.approx((89 - 12.706, 89 + 12.706), abs=1e-3)
    assert result.val_interval == pytest.approx((91 - 12.706, 91 + 12.706), abs=1e-3)


def test_one_seed_has_no_deviation_over_seeds():
    [result] = results([made_record()])
    assert result.seed_std is result.val_std is None
    assert result.seed_interval is result.val_interval is None


def test_more_seeds_do_not_narrow_the_interval_over_images():
    one = results([made_record(seed=0)])[0]
    three = results([made_record(seed=seed) for seed in range(3)])[0]
    assert one.interval == three.interval == wilson_interval(880, 1000)


def test_the_batch_spread_of_a_result_is_that_of_batches_of_256():
    correct = right_on(100, 900)
    [result] = results([made_record(correct=correct)])
    assert result.batch_std == batch_std(correct, 256)


def test_results_on_the_sample_set_never_stand_beside_the_reports():
    [real] = results([made_record("fcn-50k")])
    [sample] = results([made_record("fcn-50k", dataset="sample")])
    assert real.report.name == "fcn-50k"
    assert sample.report is None


def test_a_shape_by_hand_is_not_the_reports():
    [result] = results([made_record(spec=made_spec("fcn", (59, 49)))])
    assert result.report is None


SEVEN = {
    # Every network is right on the first so many of 1,000 images: each lead is the better's alone.
    "fcn-50k": (860, 10.0),
    "fcn-100k": (880, 10.5),
    "fcn-200k": (900, 11.0),
    "cnn-10k": (870, 50.0),
    "cnn-20k": (920, 60.0),
    "cnn-50k": (940, 70.0),
    "cnn-100k": (960, 80.0),
}


def seven(**changed):
    """The seven results, some with other images right or another time."""
    runs = []
    for name, (right, seconds) in {**SEVEN, **changed}.items():
        correct = right if isinstance(right, list) else right_on(0, right)
        runs.append(made_record(name, correct, train_seconds=seconds))
    return results(runs)


def drawn(found):
    return {conclusion.claim.split(" ")[0]: conclusion for conclusion in conclusions(found)}


def test_the_reports_four_conclusions_are_drawn_and_hold_where_they_should():
    found = conclusions(seven())
    assert [conclusion.claim for conclusion in found] == [
        "FCN: more weights, more accuracy, at almost no extra time.",
        "CNN-100K beats FCN-100K by 3.01 points, and even FCN-200K.",
        "CNN-20K beats FCN-200K with a tenth of the weights.",
        "FCNs train faster; CNNs need more time for the same weights.",
    ]
    assert all(conclusion.holds for conclusion in found)
    assert [conclusion.beyond_noise for conclusion in found] == [True, True, True, None]


@pytest.mark.parametrize(
    ("claim", "changed"),
    [
        ("FCN:", {"fcn-100k": (850, 10.5)}),
        ("FCN:", {"fcn-200k": (870, 11.0)}),
        ("FCN:", {"fcn-200k": (900, 13.0)}),
        ("CNN-100K", {"cnn-100k": (870, 80.0)}),
        ("CNN-100K", {"cnn-100k": (890, 80.0)}),
        ("CNN-20K", {"cnn-20k": (890, 60.0)}),
        ("FCNs", {"cnn-50k": (940, 9.0)}),
        ("FCNs", {"cnn-100k": (960, 9.0)}),
    ],
)
def test_a_conclusion_does_not_hold_where_the_runs_contradict_it(claim, changed):
    found = drawn(seven(**changed))
    assert not found[claim].holds
    assert all(conclusion.holds for name, conclusion in found.items() if name != claim)


def test_a_lead_that_chance_could_give_holds_but_is_called_noise():
    # CNN-20K alone right on 8 images, FCN-200K alone on 4: p = 0.39
    close = [*right_on(0, 908)]
    close[:4] = [False] * 4
    conclusion = drawn(seven(**{"cnn-20k": (close, 60.0)}))["CNN-20K"]
    [lead] = conclusion.differences
    assert conclusion.holds
    assert conclusion.beyond_noise is False
    assert lead.points == pytest.approx(0.4)
    assert lead.p == pytest.approx(0.3877, abs=1e-4)
    assert "within noise" in str(lead)


def test_the_evidence_says_by_how_much():
    conclusion = drawn(seven())["CNN-100K"]
    first, second = conclusion.evidence
    assert first.startswith("cnn-100k − fcn-100k = +8.00 points, more than noise (p < 0.0001)")
    assert "the report has +3.01" in first
    assert second.startswith("cnn-100k − fcn-200k = +6.00 points")
    assert "the report has +2.41" in second


def test_the_evidence_gives_the_share_of_the_weights():
    assert "9.6% of the weights" in drawn(seven())["CNN-20K"].evidence[1]


def test_the_time_of_an_epoch_is_compared_beside_the_whole_time():
    specs = {name: made_spec(model=name, epochs=4 if name[0] == "f" else 2) for name in SEVEN}
    runs = [made_record(spec=spec, train_seconds=SEVEN[name][1]) for name, spec in specs.items()]
    evidence = drawn(results(runs))["FCNs"].evidence[0]
    assert re.search(r"cnn-50k took 7\.0 times as long as fcn-50k.*14\.0 times an epoch", evidence)


def test_a_conclusion_needs_every_network_it_speaks_of():
    found = [result for result in seven() if result.title not in ("fcn-50k", "cnn-100k")]
    assert [conclusion.claim[:7] for conclusion in conclusions(found)] == ["CNN-20K"]


def test_the_sample_set_supports_no_conclusion():
    runs = [made_record(name, dataset="sample") for name in SEVEN]
    assert conclusions(results(runs)) == []


def test_networks_without_a_common_seed_support_no_conclusion():
    runs = [made_record("cnn-20k", seed=0), made_record("fcn-200k", seed=1)]
    assert conclusions(results(runs)) == []


def test_a_difference_is_noise_unless_it_shows_in_every_seed():
    cnn = [made_record("cnn-20k", right_on(0, 900), seed=seed) for seed in (0, 1)]
    clear = made_record("fcn-200k", right_on(0, 850), seed=0)
    equal = made_record("fcn-200k", right_on(0, 900), seed=1)
    [better, worse] = results([*cnn, clear, equal])
    assert difference(better, worse).points == pytest.approx(2.5)
    assert difference(better, worse).is_noise


def test_seeds_that_contradict_each_other_are_noise():
    runs = [
        made_record("cnn-20k", right_on(0, 900), seed=0),
        made_record("cnn-20k", right_on(0, 850), seed=1),
        made_record("fcn-200k", right_on(0, 840), seed=0),
        made_record("fcn-200k", right_on(0, 900), seed=1),
    ]
    [better, worse] = results(runs)
    assert difference(better, worse).points == pytest.approx(0.5)
    assert difference(better, worse).is_noise


def three_seeds(cnn, fcn):
    """cnn-20k and fcn-200k, right on so many of 1,000 images from each seed."""
    runs = [
        made_record(name, right_on(0, right), seed=seed)
        for name, of_seeds in (("cnn-20k", cnn), ("fcn-200k", fcn))
        for seed, right in enumerate(of_seeds)
    ]
    return difference(*results(runs))


def test_from_three_seeds_on_a_difference_is_tested_over_seeds():
    found = three_seeds(cnn=(905, 900, 910), fcn=(900, 896, 904))
    # differences 0.5, 0.4, 0.6: t = 0.5 / (0.1 / sqrt 3) = 8.66 with 2 degrees of freedom
    assert found.p == pytest.approx(0.01307, abs=1e-5)
    # t(0.975; 2) = 4.303
    assert found.interval == pytest.approx((0.2516, 0.7484), abs=1e-4)
    assert "+0.50 points (95% over seeds +0.25 to +0.75), more than noise (p = 0.0131)" in str(
        found
    )


def test_a_lead_on_the_same_images_that_other_seeds_undo_is_noise():
    found = three_seeds(cnn=(950, 900, 890), fcn=(900, 899, 900))
    assert found.points > 0 and found.is_noise


def test_only_the_same_seeds_are_paired():
    runs = [
        made_record("cnn-20k", right_on(0, 900), seed=0),
        made_record("cnn-20k", right_on(0, 850), seed=1),
        made_record("fcn-200k", right_on(0, 850), seed=0),
    ]
    [better, worse] = results(runs)
    assert not difference(better, worse).is_noise


def test_a_record_is_as_accurate_as_its_last_epoch():
    record = made_record(val_accuracy=91.25)
    assert record.val_accuracy == 91.25
    assert made_record(status=Status.STOPPED).test_interval is None


def test_the_speed_of_a_run_is_all_its_images_over_all_their_time():
    """Two epochs of the same images, one at 100 and one at 300 images a second: 150 overall."""
    slow, fast = made_epoch(1, images_per_second=100), made_epoch(2, images_per_second=300)
    assert replace(made_record(), epochs=(slow, fast)).images_per_second == pytest.approx(150)
    assert replace(made_record(), epochs=()).images_per_second is None


def test_the_interval_of_a_record_is_wilsons_for_its_test_images():
    record = replace(made_record(), test=made_predictions(right_on(0, 263 - 182, 263)))
    assert record.test_interval == pytest.approx((25.53, 36.62), abs=0.005)


def test_the_models_of_one_recipe_are_compared_the_one_most_were_trained_under():
    def of(recipe, name, epochs=1):
        spec = structs.replace(made_spec(model=name, epochs=epochs), recipe=recipe)
        return made_record(spec=spec)

    runs = [of("best", "fcn-50k"), of("fast", "cnn-10k", 2), of("fast", "fcn-50k")]
    chosen = of_one_recipe(results([*runs, of("fast", "cnn-10k", 3)]))
    assert [(one.title, one.runs[0].spec.settings.epochs) for one in chosen] == [
        ("fcn-50k", 1),
        ("cnn-10k", 2),
    ]
    assert {one.runs[0].spec.recipe for one in chosen} == {"fast"}
    assert of_one_recipe([]) == []


def test_results_stand_as_in_the_report_and_other_networks_after_them_by_weights():
    specs = [made_spec("cnn", (9,)), made_spec("fcn", (4,))]
    specs += [made_spec(model=name) for name in ("cnn-10k", "fcn-200k")]
    found = in_order(results([made_record(spec=spec) for spec in specs]))
    assert [one.title for one in found[:2]] == ["fcn-200k", "cnn-10k"]
    assert found[2].weights < found[3].weights
