"""A server that cannot be used says why in one sentence, without the password."""

import builtins
import threading
from contextlib import closing

import pytest
from making import made_epoch, made_finished, made_started
from sqlalchemy.engine import make_url
from stores import finish, outside, refused

from benchmarks.reliability.postgres import PASSWORD
from fashiontui.domain.events import Status
from fashiontui.store import Store


def named(url, **changes) -> str:
    return make_url(url).set(**changes).render_as_string(hide_password=False)


@pytest.mark.parametrize("driver", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_url_needs_no_driver(postgres, driver):
    with closing(Store(named(postgres, drivername=driver))) as store:
        finish(store, "abc000000000")
        assert store.get("abc").status is Status.FINISHED


def test_a_server_that_does_not_run_is_named(postgres):
    assert "no server answers there; start it" in refused(named(postgres, port=1))


def test_a_host_that_is_none_is_named(postgres):
    assert "no host of that name" in refused(named(postgres, host="nowhere.invalid"))


def test_a_wrong_password_is_not_repeated(postgres):
    said = refused(named(postgres, password="hush"))
    assert "refuses this user or password" in said
    assert "hush" not in said


def test_a_missing_password_is_asked_for(postgres):
    without = make_url(postgres)._replace(password=None).render_as_string()
    assert "refuses this user or password" in refused(without)


def test_a_database_that_is_missing_is_named(postgres):
    said = refused(named(postgres, database="nowhere"))
    assert "no such database; make it with createdb" in said
    assert PASSWORD not in said


def test_a_user_who_may_make_no_tables_is_told_so(postgres):
    outside(
        postgres,
        "DROP ROLE IF EXISTS guest",
        "CREATE ROLE guest LOGIN PASSWORD 'guest'",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    said = refused(named(postgres, username="guest", password="guest"))
    assert "may not make tables" in said


def test_a_missing_driver_is_named_with_the_command_that_installs_it(monkeypatch):
    real = builtins.__import__

    def without_psycopg(name, *arguments, **options):
        if name.split(".")[0] == "psycopg":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_psycopg)
    for url in ("postgresql://me@host/runs", "postgresql+psycopg://me@host/runs"):
        assert "run: pip install 'fashiontui[postgres]'" in refused(url)


def test_a_server_that_was_started_anew_in_the_middle_of_a_run_costs_nothing(server, postgres):
    if server.folder is None:
        pytest.skip("only a server of the tests' own can be stopped")
    with closing(Store(postgres)) as store:
        store.begin(made_started())
        store.add_epoch(made_epoch(1))
        server.restart()
        store.add_epoch(made_epoch(2))
        server.restart()
        store.end(made_finished())
        kept = store.get(made_started().run_id)
    assert kept.epochs == (made_epoch(1), made_epoch(2))
    assert kept.status is Status.FINISHED


def test_a_server_that_is_gone_says_so_and_works_again_when_it_is_back(server, postgres):
    if server.folder is None:
        pytest.skip("only a server of the tests' own can be stopped")
    with closing(Store(postgres)) as store:
        store.begin(made_started())
        server.stop()
        try:
            assert "no server answers there" in refused(postgres)
            with pytest.raises(Exception, match=r"no server answers there|the server went away"):
                store.add_epoch(made_epoch(1))
        finally:
            server.start()
        store.add_epoch(made_epoch(1))
        assert len(store.runs()[0].epochs) == 1


def test_a_run_that_ends_while_it_is_read_is_read_as_it_was_or_as_it_is(postgres):
    """Rows of a run and its predictions come from one moment."""
    with closing(Store(postgres)) as writing, closing(Store(postgres)) as reading:
        ids = [f"{number:012x}" for number in range(60)]
        writer = threading.Thread(target=lambda: [finish(writing, run_id) for run_id in ids])
        writer.start()
        seen = []
        while writer.is_alive():
            newest = reading.runs()[:1]
            seen += [reading.get(record.id) for record in newest]
        writer.join()
    assert all((record.status is Status.FINISHED) == (record.test is not None) for record in seen)
