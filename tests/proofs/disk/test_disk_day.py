"""The short version of the day on a disk that fills and empties."""

from proofs.disk import disk_day
from proofs.disk.disk_day import LimitedPages, run_day


def test_no_sample_is_lost_but_while_disk_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_day, "_ROOM_S", (60, 300))
    monkeypatch.setattr(disk_day, "_FULL_S", (8, 600))
    with LimitedPages(tmp_path) as disk:
        line = run_day(disk, 1800, seed=2)
    assert "no other sample is missing" in line and " 0 of the full times" not in line
