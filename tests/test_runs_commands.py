"""``fashiontui runs`` on stores of every kind: streams, exit codes, one sentence an error."""

import json
from contextlib import closing
from dataclasses import replace

import pytest
from making import made_record
from msgspec import structs
from sqlalchemy.engine import make_url

from fashiontui.domain.events import Status
from fashiontui.store import Store

IDS = ("abc000000000", "abd000000000")
HOSTILE = "[red]x[/]\x1b[5m\x9b2J\u202ey\n[bold]z"
SHOWN = r"[red]x[/]\x1b[5m\x9b2J\u202ey\n[bold]z"


@pytest.fixture
def kept(tmp_path):
    """Path of a store with two runs."""
    where = str(tmp_path / "runs.sqlite3")
    with closing(Store(where)) as store:
        for run_id in IDS:
            store.restore(made_record(run_id=run_id))
    return where


def listed(here, *where):
    told = here("runs", "list", "--json", *where)
    assert told.code == 0
    return {run["id"] for run in json.loads(told.out)["runs"]}


def test_runs_are_exported_and_imported(here, kept):
    told = here("runs", "export", "backup.db", "--store", kept)
    assert (told.code, told.out, told.err) == (0, "", "Exported 2 runs to backup.db.\n")
    assert listed(here, "--store", "backup.db") == set(IDS)
    told = here("runs", "import", "backup.db", "--store", "new.db")
    assert (told.code, told.out) == (0, "")
    assert told.err == "Imported 2 runs, 0 were already there.\n"
    assert listed(here, "--store", "new.db") == set(IDS)
    told = here("runs", "import", "backup.db", "--store", "new.db")
    assert told.err == "Imported 0 runs, 2 were already there.\n"


def test_one_run_is_exported_by_the_beginning_of_its_id(here, kept):
    told = here("runs", "export", "one.db", "abd", "--store", kept)
    assert told.err == "Exported 1 run to one.db.\n"
    assert listed(here, "--store", "one.db") == {IDS[1]}


def test_a_file_in_the_way_is_kept_unless_it_is_said_otherwise(here, kept, tmp_path):
    (tmp_path / "backup.db").write_text("precious")
    told = here("runs", "export", "backup.db", "--store", kept)
    assert told.code == 2
    assert "backup.db is there already; --force" in told.err
    assert here("runs", "export", "backup.db", "--force", "--store", kept).code == 0
    assert listed(here, "--store", "backup.db") == set(IDS)


def test_an_export_to_a_server_says_how_it_is_done(here, kept):
    told = here("runs", "export", "postgresql://host/runs", "--store", kept)
    assert told.code == 2
    assert "fashiontui runs import FILE --store URL" in told.err


def test_a_file_that_is_no_store_is_not_imported(here, tmp_path):
    (tmp_path / "notes.txt").write_text("not a store")
    told = here("runs", "import", "notes.txt", "--store", "new.db")
    assert (told.code, told.out, told.err.count("\n")) == (5, "", 1)
    assert told.err.startswith("fashiontui: Cannot import notes.txt: ")
    assert here("runs", "import", "nothing.db", "--store", "new.db").code == 5


def test_runs_move_from_a_file_to_a_server_and_back(here, kept, postgres):
    url = make_url(postgres).set(drivername="postgresql").render_as_string(hide_password=False)
    told = here("runs", "import", kept, "--store", url)
    assert (told.code, told.err) == (0, "Imported 2 runs, 0 were already there.\n")
    assert listed(here, "--store", url) == set(IDS)
    assert here("runs", "export", "back.db", "--store", url).code == 0
    assert listed(here, "--store", "back.db") == set(IDS)
    assert here("runs", "import", url, "--store", "again.db").code == 0
    assert here("runs", "show", "abc", "--store", url).code == 0
    assert here("runs", "delete", "abc", "--store", url).code == 0
    assert listed(here, "--store", url) == {IDS[1]}


def test_a_network_is_trained_into_a_server(here, postgres):
    small = ("--batch", "--data", "sample", "--threads", "1", "--precision", "fp32")
    told = here(*small, "--hidden", "8", "--epochs", "2", "--json", "--store", postgres)
    assert told.code == 0, told.err
    [run] = json.loads(told.out)["runs"]
    assert (run["status"], run["epochs"]) == ("finished", 2)
    assert listed(here, "--store", postgres) == {run["id"]}


def test_a_server_that_is_not_there_is_one_sentence_without_the_password(here):
    told = here("runs", "--store", "postgresql://me:hush@127.0.0.1:1/runs")
    assert (told.code, told.out, told.err.count("\n")) == (5, "", 1)
    assert told.err.startswith("fashiontui: Cannot use the store postgresql://me:***@127.0.0.1:1/")
    assert "hush" not in told.err


def test_what_a_terminal_would_obey_is_shown(here, tmp_path):
    where = str(tmp_path / "runs.sqlite3")
    with closing(Store(where)) as store:
        record = made_record(status=Status.FAILED, run_id=IDS[0])
        spec = structs.replace(record.spec, recipe=HOSTILE)
        told = {"cause": HOSTILE, "device_name": HOSTILE, "versions": {HOSTILE: HOSTILE}}
        store.restore(replace(record, spec=spec, **told))
    listing, shown = here("runs", "--store", where).out, here("runs", "show", "a", "--store", where)
    as_json = here("runs", "show", "a", "--json", "--store", where).out
    for out in (listing, shown.out, as_json):
        assert not any(sign in out for sign in "\x1b\x9b\u202e")
    assert SHOWN in listing.replace("\n", "")
    assert "".join(shown.out.split()).count(SHOWN) == 5
    assert json.loads(as_json)["cause"] == SHOWN


def test_a_name_in_an_error_is_shown_too(here):
    told = here("runs", "import", "\x1b[2J\u202e.db", "--store", "new.db")
    assert told.err == "fashiontui: There is no file \\x1b[2J\\u202e.db.\n"


def test_a_command_leaves_one_file(cli, tmp_path, kept):
    assert cli("runs", "import", kept, "--store", "new.db").code == 0
    assert [path.name for path in tmp_path.glob("new.db*")] == ["new.db"]
