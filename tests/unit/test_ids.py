import uuid
from concurrent.futures import ThreadPoolExecutor

from provisor.ids import new_id


def test_an_id_is_a_version_7_uuid_in_lower_case() -> None:
    text = new_id()
    value = uuid.UUID(text)
    assert str(value) == text
    assert (value.version, value.variant) == (7, uuid.RFC_4122)


def test_ids_ascend_in_the_order_in_which_they_are_made() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(ids)


def test_threads_never_share_an_id() -> None:
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [new_id() for _ in range(2_000)], range(4)))
    ids = [text for batch in batches for text in batch]
    assert len(set(ids)) == len(ids)
