"""The fleet and the people behind the conversations."""

from itertools import count

import pytest

from fairlead.api.refusals import Refusals
from tests.api_stand import stand
from tests.conformance.people import cast
from tests.conformance.world import add_fabric
from tests.people import builtin


@pytest.fixture
def fairlead(tmp_path):
    """A Fairlead with kept users and no hosts yet, whose audit trail has every refusal, however many there are."""
    url, minutes = f"sqlite:///{tmp_path / 'fairlead.sqlite'}", count(step=61)
    with stand(url, tmp_path, builtin, refusals=Refusals(lambda: next(minutes))) as opened:
        yield opened


@pytest.fixture
def people(fairlead, tmp_path):
    """Everybody who asks."""
    fairlead.engine.run(add_fabric)
    return cast(fairlead)
