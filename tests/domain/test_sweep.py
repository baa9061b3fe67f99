"""Plans of many runs: what they ask for, what is refused, what of them is done."""

from pathlib import Path

import pytest
from msgspec import structs

from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.sweep import parse_sweep, standing_of

NOWHERE = Path("/nonexistent")


def specs_of(text, **where):
    sweep = parse_sweep(text, "plan.toml")
    recipes = {name: load_recipe(name, NOWHERE) for name in sweep.recipe_names()}
    return sweep.specs(recipes, **where)


def test_every_combination_of_a_grids_lists_is_a_run():
    specs = specs_of(
        """
        [[grid]]
        models = ["fcn-50k"]
        archs = ["cnn"]
        budgets = ["10k", 20_000]
        recipes = ["fast", "report"]
        seeds = "2-4"
        [grid.settings]
        lr = [0.001, 0.01]
        epochs = 2
        """
    )
    assert len(specs) == len(set(specs)) == 3 * 2 * 3 * 2
    assert {spec.title for spec in specs} >= {"fcn-50k"}
    assert {spec.budget for spec in specs} == {50_000, 10_000, 20_000}
    assert {spec.recipe for spec in specs} == {"fast", "report"}
    assert {spec.seed for spec in specs} == {2, 3, 4}
    assert {spec.settings.lr for spec in specs} == {0.001, 0.01}
    assert {spec.settings.epochs for spec in specs} == {2}


def test_a_run_of_several_grids_is_trained_once():
    grid = '[[grid]]\nmodels = ["fcn-50k"]\nseeds = [0, 1]\n'
    assert len(specs_of(grid + grid + grid.replace("[0, 1]", "[1, 2]"))) == 3


def test_shapes_by_hand_are_of_the_family_named():
    [spec] = specs_of('[[grid]]\narchs = ["resnet"]\nshapes = ["4,8"]')
    assert (spec.arch, spec.shape, spec.budget) == ("resnet", (4, 8), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has no [[grid]]"),
        ("grid = []", "grid is empty; give it at least one value."),
        ("[[grid]]", "In grid 1 of the plan: it names no network"),
        ("[[grid]]\nmodels = []", "grid 1.models is empty"),
        ('[[grid]]\nmodels = "fcn-50k"', "grid 1.models should be a list, not 'fcn-50k'"),
        ('[[grid]]\nmodel = ["fcn-50k"]', "unknown key 'grid 1.model'; did you mean 'models'?"),
        ('grids = 1\n[[grid]]\nmodels = ["fcn-50k"]', "unknown key 'grids'; did you mean 'grid'?"),
        ('[[grid]]\nmodels = ["fcn-1k"]', "In grid 1 of the plan: Unknown model 'fcn-1k'"),
        ('[[grid]]\narchs = ["fcn"]', "archs needs budgets or shapes"),
        ('[[grid]]\nbudgets = ["5k"]', "these need archs"),
        ('[[grid]]\narchs = ["rnn"]\nbudgets = ["5k"]', "Unknown architecture 'rnn'"),
        ('[[grid]]\narchs = ["fcn"]\nbudgets = ["lots"]', "Cannot read the budget"),
        (
            '[[grid]]\narchs = ["fcn"]\nbudgets = [5.5]',
            "each of grid 1.budgets should be a whole number or",
        ),
        ('[[grid]]\nmodels = ["fcn-50k"]\nseeds = "x"', "Seeds: give a count"),
        ('[[grid]]\nmodels = ["fcn-50k"]\nseeds = [-1]', "seeds go from 0 to 2^63-1."),
        ('[[grid]]\nmodels = ["fcn-50k"]\nseeds = 3', "grid 1.seeds"),
        ('[[grid]]\nmodels = ["fcn-50k"]\nsettings = {lr = []}', "settings.lr is an empty list"),
        ('[[grid]]\nmodels = ["fcn-50k"]\nsettings = {lrr = 1}', "did you mean 'lr'?"),
        ('[[grid]]\nmodels = ["fcn-50k"]\nsettings = {epochs = [1, 0]}', "epochs"),
        ('[[grid]]\nmodels = ["fcn-50k"]\nrecipes = ["nope"]', "Unknown recipe 'nope'"),
        ("[[grid", "The plan 'plan.toml' is not valid TOML"),
        ("description = \"\\u001b[31m\"\n[[grid]]\nmodels = ['fcn-50k']", "cannot be shown"),
        (
            '[[grid]]\nmodels = ["fcn-50k"]\nseeds = "1000"\n[grid.settings]\n'
            f"lr = {[i / 1000 for i in range(1, 102)]}",
            "it asks for 101,000 runs; 100,000 are the most.",
        ),
    ],
)
def test_a_plan_that_cannot_be_used_is_one_sentence(text, said):
    with pytest.raises(UsageError) as refused:
        specs_of(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_the_store_has_of_a_plan_is_known_wherever_it_trained():
    specs = specs_of('[[grid]]\nmodels = ["fcn-50k"]\nseeds = "5"', precision="auto")
    elsewhere = [
        structs.replace(spec, device="cuda:1", threads=7, kernels="torch") for spec in specs
    ]
    other = structs.replace(specs[4], dataset="sample")
    standing = standing_of(
        specs,
        [
            ("newest", Status.FINISHED, elsewhere[0]),
            ("older", Status.FINISHED, specs[0]),
            ("a", Status.STOPPED, elsewhere[1]),
            ("b", Status.INTERRUPTED, specs[2]),
            ("c", Status.FINISHED, specs[2]),
            ("d", Status.FAILED, specs[3]),
            ("e", Status.FINISHED, other),
        ],
    )
    assert standing.finished == {0: "newest", 2: "c"}
    assert standing.unfinished == {1: "a"}
