from threading import Event

from fairlead.control.boundary import Wake
from fairlead.store.notices import Notices


def _ignore(wakes):
    """A process that has nobody waiting."""


def test_a_wake_of_one_process_is_heard_by_another(postgres_cluster):
    with postgres_cluster.fresh_database() as url:
        heard, woken = set(), Event()

        def hear(wakes):
            heard.update(wakes)
            if len(heard) == 2:
                woken.set()

        listener, speaker = Notices(url, hear), Notices(url, _ignore)
        try:
            # LISTEN takes effect at its own time, so the word is given until it is heard.
            for _ in range(100):
                speaker.notify(frozenset({Wake("host/h1"), Wake("scheduler")}))
                if woken.wait(0.1):
                    break

            assert heard == {Wake("host/h1"), Wake("scheduler")}
        finally:
            listener.close()
            speaker.close()


def test_a_database_that_is_away_delays_wakes_and_breaks_nothing():
    notices = Notices("postgresql://nobody@127.0.0.1:1/nowhere", _ignore)
    notices.notify(frozenset({Wake("scheduler")}))
    notices.close()
