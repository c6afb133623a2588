from __future__ import annotations

import pytest

from tests.end_to_end import certificates
from tests.servers import redis_server

__all__ = ["redis_server"]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificates.Authority:
    return certificates.make(tmp_path_factory.mktemp("certificates"))
