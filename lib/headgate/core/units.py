"""Units, and how a number of one becomes a number of another of its kind."""

from __future__ import annotations

from collections.abc import Mapping

# By kind: each unit's size in the first one. Of temperatures also what is added before.
_KINDS: Mapping[str, Mapping[str, float]] = {
    "length": {"m": 1, "mm": 0.001, "cm": 0.01, "km": 1000, "in": 0.0254, "ft": 0.3048,
               "yd": 0.9144, "mi": 1609.344, "nmi": 1852},
    "mass": {"kg": 1, "mg": 1e-6, "g": 0.001, "t": 1000, "oz": 0.028349523125, "lb": 0.45359237,
             "st": 6.35029318},
    "volume": {"l": 1, "ml": 0.001, "cl": 0.01, "hl": 100, "m3": 1000, "gal_us": 3.785411784,
               "gal_uk": 4.54609, "fl_oz_us": 0.0295735295625, "fl_oz_uk": 0.0284130625},
    "area": {"m2": 1, "cm2": 0.0001, "km2": 1e6, "ha": 10000, "ft2": 0.09290304,
             "acre": 4046.8564224},
    "time": {"s": 1, "ms": 0.001, "us": 1e-6, "min": 60, "h": 3600, "d": 86400, "wk": 604800},
    "speed": {"m/s": 1, "km/h": 1 / 3.6, "mph": 0.44704, "kn": 1852 / 3600},
    "energy": {"J": 1, "kJ": 1000, "Wh": 3600, "kWh": 3.6e6, "MWh": 3.6e9, "cal": 4.184,
               "kcal": 4184},
    "data": {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 2**10, "MiB": 2**20,
             "GiB": 2**30, "TiB": 2**40},
    "temperature": {"K": 1, "degC": 1, "degF": 5 / 9},
}  # fmt: skip
_BEFORE = {"K": 0.0, "degC": 273.15, "degF": 459.67}
UNITS: Mapping[str, str] = {unit: kind for kind, units in _KINDS.items() for unit in units}


def factors(given: str, wanted: str) -> tuple[float, float, float]:
    """What is added to a number, what it is then multiplied by, and what is taken off at last.

    >>> factors("km", "m"), factors("degC", "K")
    ((0.0, 1000.0, 0.0), (273.15, 1.0, 0.0))
    """
    units = _KINDS[UNITS[given]]
    return (
        _BEFORE.get(given, 0.0),
        units[given] / units[wanted],
        _BEFORE.get(wanted, 0.0),
    )


def unlike(given: str, wanted: str) -> str | None:
    """Why one cannot become the other; None where it can.

    >>> unlike("kg", "m")
    "'kg' is of mass, and 'm' of length"
    """
    if UNITS[given] == UNITS[wanted]:
        return None
    return f"'{given}' is of {UNITS[given]}, and '{wanted}' of {UNITS[wanted]}"
