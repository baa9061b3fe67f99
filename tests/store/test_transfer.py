"""Runs go from one store to another whole, or not at all; strangers' files are believed nothing."""

import os
import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from make_fixture import FIXTURES, STORED
from making import made_epoch, made_predictions, made_record, made_spec, made_started
from stores import content, finish, foreign, holding, outside

from fashiontui.domain.errors import StoreError, UsageError
from fashiontui.domain.events import Status
from fashiontui.store import Store, transfer
from fashiontui.store.store import MEMORY
from fashiontui.store.transfer import Imported, export_runs, import_runs

IDS = ("abc000000000", "abd000000000", "cde000000000")


@pytest.fixture
def three(store):
    """A store of each kind, with a finished, a failed and a training run."""
    finish(store, IDS[0])
    failed = made_record(status=Status.FAILED, run_id=IDS[1])
    store.restore(replace(failed, epochs=(made_epoch(1, run_id=IDS[1]),)))
    store.begin(made_started(run_id=IDS[2]))
    store.add_epoch(made_epoch(1, run_id=IDS[2]))
    return store


@pytest.fixture
def target(tmp_path):
    return tmp_path / "runs of mine.db"


def records_in(place):
    with closing(Store(str(place))) as store:
        return {record.id: store.get(record.id) for record in store.runs()}


def test_an_exported_file_is_a_store_with_the_same_runs(three, target):
    assert export_runs(three, target, []) == 3
    kept = records_in(target)
    assert [kept[run_id] for run_id in IDS[:2]] == [three.get(run_id) for run_id in IDS[:2]]
    training = three.get(IDS[2])
    assert kept[IDS[2]] == replace(training, status=Status.INTERRUPTED)
    assert training.status is Status.RUNNING


def test_an_export_is_one_file_that_needs_no_other(three, target):
    export_runs(three, target, [])
    assert [path.name for path in target.parent.glob("*runs of*")] == [target.name]
    assert target.read_bytes()[18:20] == b"\1\1"  # SQLite's mark of a file without a log


def test_chosen_runs_are_exported_by_the_beginnings_of_their_ids(three, target):
    assert export_runs(three, target, ["abc", "cd", "abc0"]) == 2
    assert set(records_in(target)) == {IDS[0], IDS[2]}


def test_an_unknown_id_leaves_no_file(three, target):
    with pytest.raises(UsageError, match="There is no run 'nope'"):
        export_runs(three, target, ["abc", "nope"])
    assert not list(target.parent.glob("*runs of*"))


def test_an_export_takes_no_other_files_place_unless_it_is_told_to(three, target):
    target.write_text("precious")
    with pytest.raises(UsageError, match="is there already; --force"):
        export_runs(three, target, [])
    assert target.read_text() == "precious"
    assert export_runs(three, target, [], force=True) == 3
    assert len(records_in(target)) == 3


def test_an_export_never_takes_the_place_of_its_own_store_or_of_one_in_use(file, target):
    holding(target, *IDS)
    with closing(Store(str(file))) as store, closing(Store(str(target))):
        finish(store, IDS[0])
        with pytest.raises(UsageError, match="is the store itself"):
            export_runs(store, file, [], force=True)
        with pytest.raises(UsageError, match="a store in use"):
            export_runs(store, target, [], force=True)
    assert len(records_in(target)) == 3


def test_an_export_that_fails_leaves_nothing(three, target, monkeypatch):
    def no_room(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer.os, "fsync", no_room)
    before = set(target.parent.iterdir())
    with pytest.raises(StoreError, match=f"Cannot write {target}: No space left on device"):
        export_runs(three, target, [])
    assert set(target.parent.iterdir()) == before


def test_what_was_exported_can_be_imported_and_a_second_time_changes_nothing(target, place):
    with closing(Store(MEMORY)) as here, closing(Store(place)) as there:
        finish(here, IDS[0])
        here.restore(made_record(status=Status.FAILED, run_id=IDS[1]))
        export_runs(here, target, [])
        assert import_runs(there, str(target)) == Imported(2, 0)
        assert [there.get(run_id) for run_id in IDS[:2]] == [here.get(run_id) for run_id in IDS[:2]]
        assert import_runs(there, str(target)) == Imported(0, 2)
        finish(there, "fff000000000")
        assert len(there.runs()) == 3


@pytest.fixture(params=["from SQLite", "from PostgreSQL"])
def source(request, tmp_path):
    """Another store with two finished runs and a training one."""
    if request.param == "from PostgreSQL":
        where = request.getfixturevalue("postgres")
    else:
        where = str(tmp_path / "other.sqlite3")
    holding(where, *IDS[:2])
    with closing(Store(where)) as store:
        store.begin(made_started(run_id=IDS[2]))
    return where


def test_any_store_can_be_imported_and_stays_as_it_was(source, target):
    before = content(source)
    with closing(Store(str(target))) as store:
        assert import_runs(store, source) == Imported(3, 0)
        assert store.get(IDS[2]).status is Status.INTERRUPTED
    assert content(source) == before
    assert records_in(target)[IDS[0]] == records_in(source)[IDS[0]]


def test_a_run_that_is_there_already_stays_as_it_is(source, target):
    with closing(Store(str(target))) as store:
        store.restore(replace(made_record(run_id=IDS[0]), cause="mine"))
        assert import_runs(store, source) == Imported(2, 1)
        assert store.get(IDS[0]).cause == "mine"


def test_the_file_imported_is_not_touched_and_neither_is_its_folder(file, tmp_path):
    holding(file, *IDS)
    folder = tmp_path / "other folder"
    folder.mkdir()
    moved = file.rename(folder / "%41?mode=rwc&x#.db")
    os.utime(moved, (1, 1))
    before = moved.read_bytes(), moved.stat()
    with closing(Store(MEMORY)) as store:
        assert import_runs(store, str(moved)) == Imported(3, 0)
    after = moved.stat()
    assert (moved.read_bytes(), after.st_mtime_ns) == (before[0], before[1].st_mtime_ns)
    assert os.listdir(folder) == [moved.name]


def test_runs_that_are_still_in_the_log_of_a_store_in_use_are_imported(file):
    with closing(Store(str(file))) as used, closing(Store(MEMORY)) as store:
        finish(used, IDS[0])
        assert import_runs(store, str(file)) == Imported(1, 0)


def test_a_store_can_be_imported_into_itself(file):
    holding(file, *IDS)
    with closing(Store(str(file))) as store:
        assert import_runs(store, str(file)) == Imported(0, 3)


# What a stranger may have made


def not_imported(source) -> str:
    """The sentence with which an import is refused; the store stays empty."""
    with closing(Store(MEMORY)) as store:
        with pytest.raises(StoreError) as error:
            import_runs(store, str(source))
        assert store.runs() == []
    said = str(error.value)
    assert "\n" not in said
    assert said.isprintable()
    return said


def packed(zeros: int) -> str:
    """A column of so many zeros, as the store packs them, in SQL."""
    return f"x'{zlib.compress(bytes(zeros)).hex()}'"


DAMAGES = {
    "an id that is none": "UPDATE runs SET id = 'ABC000000000' WHERE id = 'cde000000000'",
    "an id that escapes": "UPDATE runs SET id = char(27) || '[31m' WHERE id = 'cde000000000'",
    "an id twice": "INSERT INTO runs SELECT * FROM runs LIMIT 1",
    "no id": "UPDATE runs SET id = NULL WHERE id = 'cde000000000'",
    "an id of bytes": "UPDATE runs SET id = x'00' WHERE id = 'cde000000000'",
    "an unknown status": "UPDATE runs SET status = 'asleep'",
    "a spec that is none": "UPDATE runs SET spec = '7'",
    "a spec that cannot be read": "UPDATE runs SET spec = x'00ff'",
    "an unknown model": "UPDATE runs SET spec = json_set(spec, '$.model', 'gpt')",
    "a shape with a hole": "UPDATE runs SET spec = json_set(spec, '$.shape', json('[0]'))",
    "a shape too large": "UPDATE runs SET spec = json_set(spec, '$.shape', json('[99999999]'))",
    "too many layers": (
        "UPDATE runs SET spec = json_set(spec, '$.shape', json('[1,1,1,1,1,1,1,1,1]'))"
    ),
    "a budget of nothing": "UPDATE runs SET spec = json_set(spec, '$.budget', 0)",
    "an unknown setting": "UPDATE runs SET spec = json_set(spec, '$.settings.warp', 9)",
    "a long name": "UPDATE runs SET spec = json_set(spec, '$.recipe', hex(zeroblob(200)))",
    "a moment to come": "UPDATE runs SET created = '2150-01-01 00:00:00.000000'",
    "a moment before all": "UPDATE runs SET created = '0001-01-01 00:00:00.000000'",
    "no threads": "UPDATE runs SET threads = 0",
    "a precision of its own": "UPDATE runs SET precision = 'fp8'",
    "kernels that are none": "UPDATE runs SET kernels = 'columns'",
    "an FCN by rows": "UPDATE runs SET kernels = 'rows'",
    "versions that are none": "UPDATE runs SET versions = '[1]'",
    "an accuracy over 100": "UPDATE epochs SET val_accuracy = 100.5",
    "an infinite loss": "UPDATE epochs SET train_loss = 9e999",
    "a text for a loss": "UPDATE epochs SET train_loss = 'low'",
    "a negative time": "UPDATE runs SET train_seconds = -1",
    "a history with a gap": "UPDATE epochs SET epoch = 2",
    "more epochs than planned": "INSERT INTO epochs SELECT id, 2, 1, 1, 1, 1, 1, 1 FROM runs",
    "an epoch twice": "INSERT INTO epochs SELECT * FROM epochs",
    "predictions of another length": "UPDATE predictions SET predicted = x'0001'",
    "a class that is none": "UPDATE predictions SET predicted = x'0a0a0a0a', labels = x'00000000'",
    "a test that was not so": "UPDATE runs SET test_accuracy = 99.9",
    "a test without predictions": "DELETE FROM predictions",
    "probabilities that are not packed": "UPDATE predictions SET probabilities = zeroblob(40)",
    "probabilities of other images": f"UPDATE predictions SET probabilities = {packed(41)}",
    "probabilities without end": f"UPDATE predictions SET probabilities = {packed(10**8)}",
    "half a picture": f"UPDATE inside SET pixels = {packed(38)}",
    "pictures without end": f"UPDATE inside SET pixels = {packed(10**8)}",
    "a picture without a side": "UPDATE inside SET side = 0",
    "layers that are none": "UPDATE inside SET layers = '[7]'",
    "a layer without figures": "UPDATE inside SET layers = '[{}]'",
    "an infinite weight": "UPDATE inside SET layers = json_set(layers, '$[0].weight_std', 9e999)",
    "more dead units than there are": (
        "UPDATE inside SET layers = json_set(layers, '$[0].dead', 4)"
    ),
    "the inside of an epoch that was not": "UPDATE inside SET epoch = 2",
    "pictures that are too many": (
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 18) "
        "INSERT INTO inside SELECT run_id, i, layers, side, pixels FROM inside, n"
    ),
    "a study with a long name": "UPDATE runs SET study = hex(zeroblob(200))",
    "a trial before the first": "UPDATE runs SET trial = -1",
    "a text that is too long": "UPDATE runs SET cause = hex(zeroblob(200000))",
    "predictions that are too many": "UPDATE predictions SET labels = zeroblob(200001)",
    "epochs that are too many": (
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) "
        "INSERT INTO epochs SELECT 'abc000000000', i, 1, 1, 1, 1, 1, 1 FROM n"
    ),
    "a missing table": "DROP TABLE predictions",
    "a missing column": "ALTER TABLE epochs DROP COLUMN lr",
    "a column too many": "ALTER TABLE epochs ADD COLUMN warp INTEGER",
    "a computed column": "ALTER TABLE epochs ADD COLUMN warp AS (lr * 2)",
    "a view": "CREATE VIEW everything AS SELECT * FROM runs",
    "a trigger": "CREATE TRIGGER t AFTER DELETE ON runs BEGIN DELETE FROM epochs; END",
    "a virtual table": "CREATE VIRTUAL TABLE t USING fts5(a)",
}


def loose(file):
    """A store of three runs whose tables lost their keys, so that anything can be put into them."""
    holding(file, *IDS)
    with closing(sqlite3.connect(file)) as plain:
        for table in ("runs", "epochs", "predictions", "inside"):
            plain.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
            plain.execute(f"DROP TABLE {table}")
            plain.execute(f"ALTER TABLE loose RENAME TO {table}")
        plain.commit()
    return file


def test_tables_without_keys_prove_that_the_damages_below_are_what_is_refused(file):
    with closing(Store(MEMORY)) as store:
        assert import_runs(store, str(loose(file))) == Imported(3, 0)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_store_with_one_wrong_value_is_not_imported_at_all(file, damage):
    foreign(loose(file), damage)
    assert file.name in not_imported(file)


def test_text_that_a_terminal_would_obey_arrives_written_out(file):
    holding(file, IDS[0])
    foreign(
        file,
        "UPDATE runs SET device_name = char(27) || '[2J' || char(8238), "
        "cause = '[red]' || char(10), spec = json_set(spec, '$.recipe', char(155) || 'x')",
    )
    with closing(Store(MEMORY)) as store:
        import_runs(store, str(file))
        record = store.get(IDS[0])
    assert record.device_name == r"\x1b[2J\u202e"
    assert (record.cause, record.spec.recipe) == (r"[red]\n", r"\x9bx")


def test_what_is_no_store_is_not_imported(tmp_path, file):
    (tmp_path / "text").write_text("not a database")
    os.mkfifo(tmp_path / "pipe")
    foreign(file, "CREATE TABLE photos (id INTEGER)")
    assert "There is no file" in not_imported(tmp_path / "nothing")
    assert "is damaged, or is no store" in not_imported(tmp_path / "text")
    assert "no ordinary file" in not_imported(tmp_path / "pipe")
    assert "is a folder" in not_imported(tmp_path)
    assert "another program" in not_imported(file)


def test_a_newer_store_is_not_imported(source):
    outside(source, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer fashiontui" in not_imported(source)


def test_damage_that_is_quoted_in_no_known_letters_is_one_sentence(tmp_path):
    file = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE damaged (number)")
    damaged = file.read_bytes().replace(b"damaged", b"d\xd2maged").replace(b"CREATE", b"CREATX")
    file.write_bytes(damaged)
    assert "is damaged" in not_imported(file)


def test_a_damaged_page_anywhere_is_found_before_anything_is_imported(file):
    with closing(Store(str(file))) as store:
        for number in range(40):
            finish(store, f"{number:012x}")
    root = outside(file, "SELECT rootpage FROM sqlite_master WHERE name = 'predictions'")[0][0]
    with file.open("r+b") as opened:
        opened.seek((root - 1) * 4096)
        opened.write(b"\xff" * 4096)
    assert str(file) in not_imported(file)


def test_an_empty_database_on_a_server_is_not_made_a_store_by_importing_it(postgres):
    assert "is empty or of an older version" in not_imported(postgres)
    assert content(postgres) == {}


def test_an_import_that_fails_half_way_leaves_the_store_as_it_was(place, file, monkeypatch):
    monkeypatch.setattr(transfer, "BATCH", 1)
    source = file.with_name("source.db")
    holding(source, *IDS)
    holding(place, "fff000000000")
    before = content(place)
    with closing(Store(place)) as store:
        whole, calls = transfer.read_runs, []

        def fail_at_last(*arguments, **options):
            calls.append(arguments)
            if len(calls) == 6:  # three are read to be checked, then three to be written
                raise StoreError("It was pulled out.")
            return whole(*arguments, **options)

        monkeypatch.setattr(transfer, "read_runs", fail_at_last)
        with pytest.raises(StoreError, match="pulled out"):
            import_runs(store, str(source))
    assert content(place) == before


def test_many_runs_keep_their_order(file, store):
    source = file.with_name("source.db")
    moments = [datetime(2026, 1, 1, 0, n // 60, n % 60, tzinfo=UTC) for n in range(120)]
    made = [
        replace(
            made_record(spec=made_spec(seed=n), run_id=f"{n:012x}"),
            created=moment,
            test=made_predictions([True] * n + [False]),
            test_accuracy=made_predictions([True] * n + [False]).accuracy,
        )
        for n, moment in enumerate(moments)
    ]
    with closing(Store(str(source))) as other:
        other.add_new([made])
    assert import_runs(store, str(source)) == Imported(120, 0)
    assert [record.id for record in store.runs()] == [record.id for record in made[::-1]]
    assert store.get(made[77].id).test == made[77].test


@pytest.mark.parametrize("stored", sorted(FIXTURES.glob("*.sqlite3")), ids=lambda path: path.stem)
def test_files_of_every_released_schema_can_be_imported(stored):
    before = stored.read_bytes()
    with closing(Store(MEMORY)) as store:
        held = STORED[stored.stem]
        assert import_runs(store, str(stored)) == Imported(len(held), 0)
        kept = [store.get(record.id) for record in held]
    over = [replace(r, status=Status.INTERRUPTED) if r.status == "running" else r for r in held]
    assert kept == over
    assert stored.read_bytes() == before
