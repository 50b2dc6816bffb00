"""What the entrance reads of the event log by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actors.log_reads import LEAST_ROOM, LogReads
from event_store import EventStoreError, SqliteEventStore
from s3palette.read_models import PROJECTIONS


async def test_the_check_fails_where_there_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(EventStoreError):
        await LogReads(tmp_path / "log.sqlite3").check()


@pytest.mark.parametrize(("free", "passes"), [(LEAST_ROOM, True), (LEAST_ROOM - 1, False)])
async def test_the_check_fails_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, passes: bool
) -> None:
    log = await SqliteEventStore.open(tmp_path / "log.sqlite3", projections=PROJECTIONS)
    asked: list[Path] = []

    def disk_usage(path: Path) -> object:
        asked.append(path)
        return shutil._ntuple_diskusage(2**40, 2**40 - free, free)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    reads = LogReads(tmp_path / "log.sqlite3")
    try:
        if passes:
            await reads.check()
        else:
            with pytest.raises(OSError, match="bytes are free"):
                await reads.check()
    finally:
        await reads.close()
        await log.close()
    assert asked == [tmp_path]
