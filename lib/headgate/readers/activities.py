"""The activity files of sports devices: GPX, TCX and FIT, one record for each point of a track.

A reader of one's own looks like `activity`: bytes and a name in, dictionaries out. A file that
cannot be read is a ValueError; a single record that cannot be is given back as a text.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

Point = dict[str, Any]
_SEMICIRCLES = 180 / 2**31  # in which FIT tells degrees
_UNITS = {"position_lat": "lat", "position_long": "lon"}
_FIT = {"enhanced_altitude": "altitude", "enhanced_speed": "speed", "heart_rate": "heart_rate"}


def activity(content: bytes, name: str) -> Iterable[Point]:
    """The points of one activity: time, lat, lon, altitude, heart_rate, cadence, power, …

    >>> gpx = b'<gpx><trkseg><trkpt lat="1.5" lon="2"><ele>7</ele></trkpt></trkseg></gpx>'
    >>> [(p["lat"], p["altitude"], p["lap"]) for p in activity(gpx, "a.gpx")]
    [('1.5', '7', 1)]
    """
    end = name.lower().rpartition(".")[2]
    if end == "fit":
        return _fit(content)
    if end not in ("gpx", "tcx"):
        raise ValueError("the name ends in none of .gpx, .tcx, .fit")
    root = safe_xml(content)
    return _gpx(root) if end == "gpx" else _tcx(root)


def safe_xml(content: bytes) -> ElementTree.Element:
    """An XML document without declarations of its own: a few bytes of those can fill any memory."""
    guard = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type, which no device does")

    guard.StartDoctypeDeclHandler = refuse
    guard.EntityDeclHandler = refuse
    try:
        guard.Parse(content, True)
        return ElementTree.fromstring(content)  # noqa: S314 - declarations were refused above
    except (expat.ExpatError, ElementTree.ParseError) as error:
        raise ValueError("it is no XML, or was cut off") from error


def _plain(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _texts(element: ElementTree.Element) -> Point:
    """The texts of all elements below one, by their names."""
    found = {}
    for one in element.iter():
        text = (one.text or "").strip()
        if one is not element and text:
            found[_plain(one)] = text
    return found


def _gpx(root: ElementTree.Element) -> Iterator[Point]:
    segments = (one for one in root.iter() if _plain(one) in ("trkseg", "rte"))
    for lap, segment in enumerate(segments, 1):
        for point in (one for one in segment if _plain(one) in ("trkpt", "rtept")):
            texts = _texts(point)
            yield {
                "lap": lap,
                "time": texts.pop("time", None),
                "lat": point.get("lat"),
                "lon": point.get("lon"),
                "altitude": texts.pop("ele", None),
                "heart_rate": texts.pop("hr", None),
                "cadence": texts.pop("cad", None),
                **texts,
            }


def _tcx(root: ElementTree.Element) -> Iterator[Point]:
    for lap, one in enumerate((each for each in root.iter() if _plain(each) == "Lap"), 1):
        for point in (each for each in one.iter() if _plain(each) == "Trackpoint"):
            texts = _texts(point)
            rate = next((each for each in point if _plain(each) == "HeartRateBpm"), None)
            yield {
                "lap": lap,
                "time": texts.pop("Time", None),
                "lat": texts.pop("LatitudeDegrees", None),
                "lon": texts.pop("LongitudeDegrees", None),
                "altitude": texts.pop("AltitudeMeters", None),
                "heart_rate": None if rate is None else _texts(rate).get("Value"),
                "cadence": texts.pop("Cadence", None),
                "power": texts.pop("Watts", None),
                "distance": texts.pop("DistanceMeters", None),
                **{key: text for key, text in texts.items() if key != "Value"},
            }


def _fit(content: bytes) -> Iterator[Point]:
    import fitdecode

    lap = 1
    try:
        with fitdecode.FitReader(io.BytesIO(content)) as frames:
            for frame in frames:
                if not isinstance(frame, fitdecode.FitDataMessage):
                    continue
                if frame.name == "lap":
                    lap += 1  # FIT writes a lap's message behind its points
                if frame.name == "record":
                    yield {"lap": lap, **_fit_point({one.name: one.value for one in frame.fields})}
    except fitdecode.FitError as error:
        raise ValueError("it is no FIT file, or was cut off") from error


def _fit_point(values: Point) -> Point:
    point: Point = {"time": values.pop("timestamp", None)}
    for theirs, ours in _UNITS.items():
        value = values.pop(theirs, None)
        point[ours] = None if value is None else round(value * _SEMICIRCLES, 7)
    for theirs, ours in _FIT.items():
        value = values.pop(theirs, None)
        if value is not None:
            values[ours] = value
    return point | {key: value for key, value in values.items() if not key.startswith("unknown")}
