"""The whole way of an album: sign up, reserve, upload, confirm, execute, wait, download."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from s3palette.client._album import AlbumResult, PhotoResult, Progress, Report, ResultFile
from s3palette.client._api import Api, Photo
from s3palette.client._results import Job, JobItem
from s3palette.client._steps import Fetch, Flow, Together
from s3palette.domain.errors import CreditsExhausted
from s3palette.domain.plans import MAX_ITEMS

__all__ = ["Order", "run"]

_SAVED_RULE: Final = "r_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The arguments of `run`; see `Client.run`."""

    photos: Sequence[Photo]
    preset: str
    rule: Mapping[str, Any] | str
    protect: Sequence[str] | None
    output_template: str | None
    refinements: Mapping[int, Any]
    references: Mapping[str, int]
    masks: bool
    save_to: Path | str | None
    parallel: int
    timeout_s: float | None


@dataclass(frozen=True, slots=True)
class _Rule:
    concepts: Mapping[str, Any] | None
    protect: Sequence[str] | None
    rule_id: str | None = None


def run(api: Api, order: Order, report: Report) -> Flow[AlbumResult]:
    """The album's result. A job that cannot be seen to its end is canceled, so that its credits come back."""
    names = _names(order.photos)
    _check_places(order, len(names))
    if api.token is None:
        yield from api.sign_up(None)
    rule = yield from _rule(api, order)
    starts = range(0, len(names), MAX_ITEMS)
    if len(starts) > 1:
        yield from _check_credits(api, len(names))
    photos: list[PhotoResult] = []
    for start in starts:
        part = _Part(api, order, names[start : start + MAX_ITEMS], start, _counted(report, photos, len(names)))
        photos += yield from part.run(rule)
    return AlbumResult(tuple(photos))


class _Part:
    """One job: as much of the album as a job can have."""

    def __init__(self, api: Api, order: Order, names: Sequence[str], start: int, report: Report) -> None:
        self._api = api
        self._order = order
        self._names = names
        self._start = start
        self._report = report

    def run(self, rule: _Rule) -> Flow[list[PhotoResult]]:
        api, order, count = self._api, self._order, len(self._names)
        new = yield from api.create_job(order.preset, count)
        try:
            self._report(Progress("upload", 0, 0, count))
            photos = order.photos[self._start : self._start + count]
            yield from api.upload(new, photos, order.parallel, self._counter("upload", 0, count))
            yield from api.confirm(new.job_id)
            own = {
                str(idx - self._start): part
                for idx, part in order.refinements.items()
                if 0 <= idx - self._start < count
            }
            yield from api.execute(
                new.job_id,
                rule.concepts,
                rule.protect,
                rule.rule_id,
                order.output_template,
                own or None,
                order.references or None,
            )
            job = yield from api.wait(new.job_id, self._show, order.timeout_s)
            return (yield from self._fetch(job))
        except GeneratorExit:
            raise
        except BaseException as error:
            # Whatever it was, Ctrl-C too: nobody will fetch the rest.
            with suppress(httpx.TransportError):
                yield from api.cancel_in_passing(new.job_id)
            error.add_note(f"The job was {new.job_id}.")
            raise

    def _show(self, job: Job) -> None:
        self._report(Progress("edit", job.done_items, job.failed_items, job.total_items))

    def _counter(self, phase: Any, failed: int, total: int) -> Callable[[int], None]:
        done = 0

        def count(_: int) -> None:
            nonlocal done
            done += 1
            self._report(Progress(phase, done, failed, total))

        return count

    def _fetch(self, job: Job) -> Flow[list[PhotoResult]]:
        delivered = len(job.downloads)
        self._report(Progress("download", 0, job.failed_items, delivered + job.failed_items))
        flows = [self._photo(job, item) for item in job.items]
        counter = self._counter("download", job.failed_items, delivered + job.failed_items)
        with_output = {download.idx for download in job.downloads}
        photos: list[PhotoResult] = yield Together(
            flows,
            self._order.parallel,
            lambda position: counter(position) if job.items[position].idx in with_output else None,
        )
        return photos

    def _photo(self, job: Job, item: JobItem) -> Flow[PhotoResult]:
        name = self._names[item.idx]
        output = instances = None
        masks: dict[str, ResultFile] = {}
        if any(download.idx == item.idx for download in job.downloads):
            output = yield from self._file(job, f"{name}_result.png", _output_of(item.idx))
            if self._order.masks:
                for concept in item.masks:
                    masks[concept] = yield from self._file(
                        job, f"labels/{name}_{concept}.png", _mask_of(item.idx, concept)
                    )
                if item.instances_url is not None:
                    instances = yield from self._file(job, f"labels/{name}_instances.json", _instances_of(item.idx))
        error = None if output is not None else item.error or f"the job was {job.status} before this photo's turn"
        return PhotoResult(self._start + item.idx, name, job.job_id, error, item.warnings, output, masks, instances)

    def _file(self, job: Job, name: str, address: Callable[[Job], str | None]) -> Flow[ResultFile]:
        to = None if self._order.save_to is None else Path(self._order.save_to) / name
        if to is not None:
            to.parent.mkdir(parents=True, exist_ok=True)
        answer = yield from self._api.transfer(lambda url: Fetch(url, to), address(job) or "", job.job_id, address)
        return ResultFile(name, answer.body if to is None else to)


def _output_of(idx: int) -> Callable[[Job], str | None]:
    return lambda job: next((each.output_url for each in job.downloads if each.idx == idx), None)


def _mask_of(idx: int, concept: str) -> Callable[[Job], str | None]:
    return lambda job: job.items[idx].masks.get(concept)


def _instances_of(idx: int) -> Callable[[Job], str | None]:
    return lambda job: job.items[idx].instances_url


def _counted(report: Report, before: Sequence[PhotoResult], total: int) -> Report:
    """Reports of a part as reports of the whole album."""
    failed = sum(not photo.ok for photo in before)
    ended = len(before)

    def whole(part: Progress) -> None:
        done = part.done + ended - (failed if part.phase != "upload" else 0)
        report(Progress(part.phase, done, part.failed + failed, total))

    return whole


def _names(photos: Sequence[Photo]) -> list[str]:
    """A name for each photo, all different. Raises ValueError for no photo or an empty one, OSError for no file."""
    if not photos:
        raise ValueError("the album has no photos")
    stems = []
    for idx, photo in enumerate(photos):
        stem, size = ("photo", len(photo)) if isinstance(photo, bytes) else _of_file(Path(photo))
        if not size:
            raise ValueError(f"photo {idx} ({stem}) is empty")
        stems.append(stem)
    often = Counter(stems)
    names = [stem if often[stem] == 1 else f"{idx:03d}_{stem}" for idx, stem in enumerate(stems)]
    return names if len(set(names)) == len(names) else [f"{idx:03d}_{stem}" for idx, stem in enumerate(stems)]


def _check_places(order: Order, count: int) -> None:
    """Raises ValueError where the order names no photo of the album, or cannot be kept for one job."""
    for name, places in (("refinements", order.refinements), ("references", order.references.values())):
        for idx in places:
            if isinstance(idx, bool) or not isinstance(idx, int):
                raise ValueError(f"{name}: a place in the album is a whole number from 0, not {idx!r}")
            if not 0 <= idx < count:
                raise ValueError(f"{name}: the album has photos 0 to {count - 1}, not {idx}")
    if order.references and count > MAX_ITEMS:
        raise ValueError(f"references: the photo sets the colours of one job, which has {MAX_ITEMS} photos at most")


def _of_file(path: Path) -> tuple[str, int]:
    return path.stem, path.stat().st_size


def _rule(api: Api, order: Order) -> Flow[_Rule]:
    """What to execute. Raises ValueError where a name is none of the preset's rule sets."""
    if not isinstance(order.rule, str):
        return _Rule(order.rule, order.protect)
    if order.rule.startswith(_SAVED_RULE):
        return _Rule(None, order.protect, order.rule)
    sets = (yield from api.preset(order.preset))["rule_sets"]
    for each in sets:
        if order.rule in (each["id"], each["name"], each["name_en"]):
            return _Rule(each["concepts"], each["protect"] if order.protect is None else order.protect)
    raise ValueError(f"{order.preset} has no rule set {order.rule!r}, only {', '.join(each['id'] for each in sets)}")


def _check_credits(api: Api, count: int) -> Flow[None]:
    """Before the first of several jobs: a part of an album is of no use."""
    left = (yield from api.me()).credits
    if count > left:
        raise CreditsExhausted(f"{count} photos cost {count} credits, and {left} are left")
