"""Seeds on the command line: results over them, ranks, and adding them until two separate."""

import json

import pytest

SMALL = ("--batch", "--data", "sample", "--device", "cpu", "--threads", "1", "--precision", "fp32")


def test_seeds_are_added_until_two_networks_separate(here, tmp_path):
    store = str(tmp_path / "runs.sqlite3")
    two = ("--hidden", "2", "--channels", "6,12", "--epochs", "2", "--batch-size", "50")
    done = here(*SMALL, *two, "--seeds", "12", "--until-separated", "--json", "--store", store)
    assert done.code == 0
    document = json.loads(done.out)
    separation = document["separation"]
    assert separation["separated"] and separation["p"] < 0.05 and separation["looks"] == 10
    assert 3 <= separation["seeds"] < 12
    assert len(document["runs"]) == 2 * separation["seeds"]
    first, second = sorted(document["results"], key=lambda result: result["rank"])
    assert separation["better"].startswith(first["arch"])
    assert first["seeds"] == second["seeds"] == [*range(separation["seeds"])]
    assert first["val_accuracy"] - second["val_accuracy"] == pytest.approx(separation["points"])
    assert "are separated after" in done.err

    listed = json.loads(here("runs", "--json", "--store", store).out)
    assert [result["rank"] for result in listed["results"]] != []
    assert "Ranked on validation, sample" in here("runs", "--store", store).out


def test_two_recipes_of_one_network_are_compared_up_to_the_last_seed(here, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text("[settings]\nepochs = 1\nbatch_size = 256\n")
    same = tmp_path / "same.toml"
    same.write_text(other.read_text())
    recipes = ("--recipe", str(other), "--recipe", str(same))
    more = ("--hidden", "8", "--seeds", "3", "--until-separated", "--jsonl")
    done = here(*SMALL, *recipes, *more, "--store", str(tmp_path / "runs.sqlite3"))
    assert done.code == 0
    last = json.loads(done.out.splitlines()[-1])
    assert (last["event"], last["separated"], last["seeds"]) == ("separation", False, 3)
    assert "are not separated after 3 seeds" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "fcn-50k", "--seeds", "5"], "compares two"),
        (["--seeds", "5"], "compares two"),
        (["--model", "fcn-50k", "--recipe", "fast", "--recipe", "fast", "--seeds", "5"], "two"),
        (["--model", "fcn-50k", "--model", "cnn-10k"], "needs --seeds N, 3 or more"),
        (["--resume"], "leave out --until-separated"),
    ],
)
def test_until_separated_needs_two_networks_and_some_seeds(here, options, said):
    done = here("--batch", *options, "--until-separated")
    assert done.code == 2
    assert said in done.err
    assert done.out == ""
