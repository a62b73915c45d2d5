"""The fleet and the people behind the conversations."""

import pytest

from tests.api_stand import stand
from tests.conformance.people import cast
from tests.people import builtin


@pytest.fixture
def fairlead(tmp_path):
    """A Fairlead with kept users and no hosts yet."""
    with stand(f"sqlite:///{tmp_path / 'fairlead.sqlite'}", tmp_path, builtin) as opened:
        yield opened


@pytest.fixture
def people(fairlead, tmp_path):
    """Everybody who asks."""
    return cast(fairlead)
