"""Several processes on one store at once lose nothing and see no lock."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

from benchmarks.reliability.writers import write_at_once
from fashiontui.store import Store

AT_ONCE = 5


def test_processes_that_make_a_store_and_write_it_at_once_lose_nothing(place):
    figures = write_at_once(place, processes=4, runs=10)
    assert figures.errors == ()
    assert (figures.stored, figures.complete) == (40, 40)


def all_make_a_store_of(places):
    """Open each empty place from several sides at the same moment."""
    together = Barrier(AT_ONCE, timeout=60)  # one that fails lets no other wait for ever

    def open_all(_side):
        for where in places:
            together.wait()
            store = Store(where)
            assert store.runs() == []
            store.close()

    with ThreadPoolExecutor(AT_ONCE) as sides:
        list(sides.map(open_all, range(AT_ONCE)))


def test_all_who_open_a_new_file_at_once_make_a_store_of_it(tmp_path):
    all_make_a_store_of([str(tmp_path / f"{number}.db") for number in range(40)])


def test_all_who_open_an_empty_database_at_once_make_a_store_of_it(server):
    with ExitStack() as databases:
        all_make_a_store_of([databases.enter_context(server.database()) for _ in range(5)])
