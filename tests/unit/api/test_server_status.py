"""Nova's statuses, and which of ours are behind each."""

from dataclasses import replace
from itertools import product

import pytest

from fairlead.api.compute.server_status import shown_status, statuses_behind
from fairlead.model.server import Power, ServerStatus
from tests.contract import store_rows as make

GUESTS = ("", "running", "stopped", "paused", "saved", "crashed")


@pytest.mark.parametrize("status", ServerStatus)
def test_a_server_is_found_by_the_status_that_it_is_shown_with(status):
    for power, guest, fault, up, hard in product(Power, GUESTS, (None, make.FAILURE), (0, 1), (False, True)):
        server = replace(make.server(), status=status, power=power, guest_state=guest, fault=fault)
        server = replace(server, up_serial=up, hard_reboot=hard)
        assert status in statuses_behind(shown_status(server).status)


def test_a_status_that_there_is_not_is_behind_nothing_that_stays():
    assert statuses_behind("SHELVED") == (ServerStatus.DELETING,)


@pytest.mark.parametrize(("is_hard", "word"), [(False, "REBOOT"), (True, "HARD_REBOOT")])
def test_a_reboot_is_a_status_of_one_that_ran(is_hard, word):
    server = replace(make.server(), status=ServerStatus.ACTIVE, boot_serial=2, hard_reboot=is_hard)
    assert shown_status(replace(server, up_serial=1)).status == word
    assert shown_status(replace(server, up_serial=2)).status == "ACTIVE"
    assert statuses_behind(word) == (ServerStatus.ACTIVE, ServerStatus.DELETING)
