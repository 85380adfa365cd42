"""Generated sources of these tests stay out of the user's cache."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DENDVIEW_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
