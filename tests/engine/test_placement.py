"""A run is placed on a device that is there, as asked, or as once measured."""

import json
import os

import pytest
import torch
from making import made_spec
from msgspec import structs

from fashiontui.domain.errors import DeviceError, ExitCode, UsageError
from fashiontui.engine import Placement, available_devices, choose_placement, find_device, measure
from fashiontui.models import rows

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "CPU", "cpu:0", "cuda:-1", "tpu"])
def test_what_is_no_device_name_is_wrong_usage(name):
    with pytest.raises(UsageError, match="choose auto, cpu, cuda, cuda:1 or mps"):
        find_device(name)


@pytest.mark.parametrize("name", ["cuda:99", "cuda:999"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(name):
    with pytest.raises(DeviceError, match=rf"{name} on this machine; it has .*cpu") as refused:
        find_device(name)
    assert refused.value.exit_code is ExitCode.NO_DEVICE


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_where_there_is_none_is_refused():
    with pytest.raises(DeviceError, match="There is no device cuda on this machine; it has"):
        find_device("cuda")


def test_auto_takes_the_first_available_device():
    assert find_device("auto") == available_devices()[0]
    assert find_device("cpu") == CPU == available_devices()[-1]


@pytest.fixture
def times(monkeypatch):
    """Made-up step times by (threads, precision), on a machine of four cores; what was timed.

    By rows they are under (threads, "rows").
    """
    told = {}
    timed = []

    def timed_step(_spec, placement):
        how = placement.precision if placement.kernels == "torch" else placement.kernels
        timed.append((placement.threads, how))
        return lambda: told.get((placement.threads, how), 99)

    monkeypatch.setattr(measure, "_timed_step", timed_step)
    monkeypatch.setattr(measure, "SECONDS", 0)
    monkeypatch.setattr(measure, "_has_bf16", lambda _: True)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)), raising=False)
    return told, timed


def spec_with(**where):
    return structs.replace(made_spec(), **where)


def test_explicit_values_are_honoured_without_measuring(times, tmp_path):
    _, timed = times
    memory = tmp_path / "memory.json"
    placement = choose_placement(spec_with(precision="bf16", threads=3), CPU, memory)
    assert placement == Placement(CPU, "bf16", 3)
    assert timed == []
    assert not memory.exists()


@pytest.mark.parametrize(
    ("told", "chosen"),
    [
        # of the thread counts the fastest
        ({(1, "fp32"): 8, (2, "fp32"): 5, (4, "fp32"): 3}, (4, "fp32")),
        ({(1, "fp32"): 8, (2, "fp32"): 5, (4, "fp32"): 6}, (2, "fp32")),
        # bf16 only where it clearly pays
        ({(1, "fp32"): 8, (1, "bf16"): 7.1}, (1, "bf16")),
        ({(1, "fp32"): 8, (1, "bf16"): 7.3}, (1, "fp32")),
        ({(1, "fp32"): 8, (2, "fp32"): 4, (1, "bf16"): 3.9, (4, "bf16"): 3.5}, (4, "bf16")),
    ],
)
def test_the_fastest_is_chosen_and_bf16_only_where_it_clearly_pays(told, chosen, times, tmp_path):
    times[0].update(told)
    placement = choose_placement(spec_with(), CPU, tmp_path / "memory.json")
    assert (placement.threads, placement.precision) == chosen


def test_only_what_is_open_is_measured(times, tmp_path):
    told, timed = times
    told.update({(3, "fp32"): 8, (3, "bf16"): 4})
    placement = choose_placement(spec_with(threads=3), CPU, tmp_path / "memory.json")
    assert (placement.threads, placement.precision) == (3, "bf16")
    assert sorted(timed) == [(3, "bf16"), (3, "fp32")]


def test_a_choice_is_kept_and_not_measured_again(times, tmp_path):
    told, timed = times
    told.update({(1, "fp32"): 8, (2, "fp32"): 9, (1, "bf16"): 4})
    memory = tmp_path / "new" / "memory.json"
    first = choose_placement(spec_with(), CPU, memory)
    timed.clear()
    told.update({(2, "fp32"): 1, (4, "fp32"): 0.1})
    assert choose_placement(spec_with(seed=5), CPU, memory) == first
    assert timed == []
    [kept] = json.loads(memory.read_text()).values()
    assert kept == {"precision": "bf16", "threads": 1, "kernels": "torch"}
    assert [path.name for path in memory.parent.iterdir()] == ["memory.json"]


CNN = made_spec("cnn", (4, 8))


def cnn_with(**where):
    return structs.replace(CNN, **where)


@pytest.mark.parametrize(
    ("told", "chosen"),
    [
        # whichever is the fastest, with as many threads as are best for it
        ({(1, "fp32"): 8, (1, "rows"): 7.9}, Placement(CPU, "fp32", 1, "rows")),
        ({(1, "fp32"): 8, (1, "rows"): 8.1}, Placement(CPU, "fp32", 1, "torch")),
        ({(1, "fp32"): 5, (1, "rows"): 8, (4, "rows"): 3}, Placement(CPU, "fp32", 4, "rows")),
        # bf16 only where it clearly beats both
        ({(1, "fp32"): 9, (1, "rows"): 5, (1, "bf16"): 4.6}, Placement(CPU, "fp32", 1, "rows")),
        ({(1, "fp32"): 9, (1, "rows"): 5, (1, "bf16"): 4.4}, Placement(CPU, "bf16", 1, "torch")),
    ],
)
def test_kernels_are_chosen_by_what_was_measured(told, chosen, times, tmp_path):
    times[0].update(told)
    assert choose_placement(CNN, CPU, tmp_path / "memory.json") == chosen


@pytest.mark.parametrize(
    "spec",
    [
        made_spec(),
        made_spec("resnet", (16, 20)),
        made_spec("dsconv", (16, 20, 20)),
        cnn_with(kernels="torch"),
        cnn_with(precision="bf16"),
    ],
)
def test_kernels_by_rows_are_not_tried_where_they_cannot_compute_or_shall_not(
    spec, times, tmp_path
):
    _, timed = times
    choose_placement(spec, CPU, tmp_path / "memory.json")
    assert not [how for _, how in timed if how == "rows"]


def test_kernels_asked_for_are_honoured(times, tmp_path):
    told, timed = times
    told.update({(2, "rows"): 50})
    asked = cnn_with(kernels="rows")
    assert choose_placement(asked, CPU, tmp_path / "m.json") == Placement(CPU, "fp32", 2, "rows")
    assert {how for _, how in timed} == {"rows"}


def test_kernels_for_cpus_are_refused_elsewhere(tmp_path):
    with pytest.raises(DeviceError, match="no kernels by rows; use --device cpu"):
        choose_placement(cnn_with(kernels="rows"), torch.device("mps"), tmp_path / "memory.json")


def test_a_processor_without_bf16_is_not_measured_in_it(times, tmp_path, monkeypatch):
    _, timed = times
    monkeypatch.setattr(measure, "_has_bf16", lambda _: False)
    choose_placement(spec_with(), CPU, tmp_path / "memory.json")
    assert {how for _, how in timed} == {"fp32"}
    asked = spec_with(precision="bf16", threads=1)
    assert choose_placement(asked, CPU, tmp_path / "memory.json").precision == "bf16"


def test_what_is_far_behind_is_given_up_while_measuring(tmp_path, monkeypatch):
    steps = dict.fromkeys(("torch", "rows"), 0)

    def timed_step(_spec, placement):
        def step():
            steps[placement.kernels] += 1
            return 1.0 if placement.kernels == "rows" else 1.6

        return step

    monkeypatch.setattr(measure, "_timed_step", timed_step)
    monkeypatch.setattr(measure, "SECONDS", 0)
    asked = cnn_with(precision="fp32", threads=1)
    assert choose_placement(asked, CPU, tmp_path / "memory.json").kernels == "rows"
    assert steps == {"torch": 2, "rows": 1 + measure.ROUNDS}


def test_a_choice_of_a_version_that_knew_no_kernels_is_taken_up(times, tmp_path):
    told, timed = times
    told.update({(1, "fp32"): 8, (2, "fp32"): 9})
    memory = tmp_path / "memory.json"
    choose_placement(spec_with(), CPU, memory)
    [key] = json.loads(memory.read_text())
    memory.write_text(json.dumps({key: {"precision": "bf16", "threads": 2}}))
    timed.clear()
    assert choose_placement(spec_with(), CPU, memory) == Placement(CPU, "bf16", 2, "torch")
    assert timed == []


@pytest.mark.parametrize(
    "changed", [{"shape": (9,)}, {"batch_size": 8}, {"batch_norm": True}, {"arch": "cnn"}]
)
def test_another_network_is_measured_anew(changed, times, tmp_path):
    told, timed = times
    told.update({(1, "fp32"): 8, (2, "fp32"): 9, (1, "bf16"): 9})
    memory = tmp_path / "memory.json"
    choose_placement(spec_with(), CPU, memory)
    timed.clear()
    choose_placement(made_spec(**changed), CPU, memory)
    assert timed
    assert len(json.loads(memory.read_text())) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"null"])
def test_a_damaged_memory_is_ignored_and_replaced(content, times, tmp_path):
    told, _ = times
    told.update({(1, "fp32"): 8, (2, "fp32"): 9, (1, "bf16"): 9})
    memory = tmp_path / "memory.json"
    memory.write_bytes(content)
    assert choose_placement(spec_with(), CPU, memory) == Placement(CPU, "fp32", 1)
    assert len(json.loads(memory.read_text())) == 1


@pytest.mark.parametrize(
    "value",
    [None, 3, {}, {"precision": "fp8", "threads": 1}, {"precision": "fp32", "threads": 0}]
    + [{"precision": "fp32", "threads": "1"}, {"precision": "fp32", "threads": 10**9}]
    + [{"precision": "fp32", "threads": 1, "kernels": "columns"}]
    + [{"precision": "fp32", "threads": 1, "kernels": "rows"}]  # of an FCN
    + [{"precision": "fp32", "threads": 3}],  # no candidate
)
def test_a_remembered_choice_that_makes_no_sense_is_measured_anew(value, times, tmp_path):
    told, timed = times
    told.update({(1, "fp32"): 8, (2, "fp32"): 9, (1, "bf16"): 9})
    memory = tmp_path / "memory.json"
    choose_placement(spec_with(), CPU, memory)
    [key] = json.loads(memory.read_text())
    memory.write_text(json.dumps({key: value}))
    timed.clear()
    assert choose_placement(spec_with(), CPU, memory) == Placement(CPU, "fp32", 1)
    assert timed


def test_a_memory_that_cannot_be_written_does_not_stop_the_run(times, tmp_path):
    told, _ = times
    told.update({(1, "fp32"): 8, (2, "fp32"): 9, (1, "bf16"): 9})
    (tmp_path / "file").write_text("in the way")
    memory = tmp_path / "file" / "memory.json"
    assert choose_placement(spec_with(), CPU, memory) == Placement(CPU, "fp32", 1)


def test_a_real_measurement_gives_a_placement_this_machine_has(tmp_path):
    placement = choose_placement(spec_with(), CPU, tmp_path / "memory.json")
    assert placement.precision in ("fp32", "bf16")
    assert placement.threads >= 1


def test_kernels_are_measured_by_steps_of_their_own(monkeypatch):
    called = []
    convolved = rows.convolved
    monkeypatch.setattr(rows, "convolved", lambda *given: called.append(1) or convolved(*given))
    for kernels, count in (("torch", 0), ("rows", 2)):
        measure._timed_step(CNN, Placement(CPU, "fp32", 1, kernels))()
        assert len(called) == count


def test_applying_a_placement_sets_the_threads():
    before = torch.get_num_threads()
    try:
        Placement(CPU, "fp32", 2).apply()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("content", ["[" * 5000, '{"a":' * 5000, '{"x": 1}', "\0", '{"x": {}}'])
def test_measurements_that_somebody_else_wrote_are_measured_anew(content, tmp_path, caplog):
    memory = tmp_path / "measurements.json"
    memory.write_text(content)
    assert measure._recall(memory) == {}


def test_a_pipe_in_the_place_of_the_measurements_is_not_waited_for(tmp_path, caplog):
    os.mkfifo(tmp_path / "measurements.json")
    assert measure._recall(tmp_path / "measurements.json") == {}
    assert "no regular file" in caplog.text
