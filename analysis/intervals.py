"""Confidence intervals in plain Python: shares, net shares, means on a bounded scale, clustered ratios."""

from __future__ import annotations

import math
from functools import lru_cache

LEVEL = 0.95
"""Confidence level of every interval the product shows."""

Interval = tuple[float, float]

_EXACT_DEGREES = 1000
"""Above this many degrees of freedom the expansion around the normal quantile is exact to 1e-10."""


@lru_cache(maxsize=64)
def normal_quantile(level: float = LEVEL) -> float:
    """Return z such that a standard normal lies within ±z with probability `level`.

    Newton's steps on erf: it is concave right of 0, so that they rise to the root and never overshoot.
    Raises ValueError unless 0 < level < 1.
    """
    _check_level(level)
    z = 0.0
    for _ in range(100):
        step = (level - math.erf(z / math.sqrt(2))) / (math.sqrt(2 / math.pi) * math.exp(-z * z / 2))
        z += step
        if abs(step) < 1e-14 * (1 + z):
            break
    return z


@lru_cache(maxsize=4096)
def student_quantile(degrees: int, level: float = LEVEL) -> float:
    """Return t such that Student's t with whole `degrees` of freedom lies within ±t with probability `level`.

    Abramowitz & Stegun 1964, 26.7.3-26.7.4 (finite series for whole degrees), solved by Newton's steps in the
    angle atan(t/sqrt(degrees)); above 1000 degrees 26.7.5, the expansion around the normal quantile. Raises
    ValueError unless degrees >= 1 and 0 < level < 1.
    """
    _check_level(level)
    if degrees < 1:
        raise ValueError(f"degrees of freedom must be at least 1, not {degrees}")
    z = normal_quantile(level)
    if degrees > _EXACT_DEGREES:
        return _student_by_expansion(z, degrees)
    root = math.sqrt(degrees)
    # t is never below z, and the probability is concave in the angle: from here Newton's steps only rise.
    angle = math.atan(z / root)
    slope = 2 * math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(math.pi)
    for _ in range(200):
        step = (level - _student_within(angle, degrees)) / (slope * math.cos(angle) ** (degrees - 1))
        angle += step
        if abs(step) < 1e-15 * (1 + angle):
            break
    return root * math.tan(angle)


def _student_within(angle: float, degrees: int) -> float:
    """Return P(|T| < sqrt(degrees) * tan(angle)) by the finite series."""
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def _student_by_expansion(z: float, degrees: int) -> float:
    """Return Student's quantile by four terms of its expansion in 1/degrees."""
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, start=1))


def wilson(successes: float, n: float, level: float = LEVEL) -> Interval:
    """Return Wilson's score interval of a share, as fractions in [0, 1].

    Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    Raises ValueError unless 0 <= successes <= n and n > 0.
    """
    if not 0 <= successes <= n or n <= 0:
        raise ValueError(f"{successes} of {n} is no share")
    z2 = normal_quantile(level) ** 2
    failures = n - successes
    middle = successes + z2 / 2
    half = math.sqrt(z2 * (successes * failures / n + z2 / 4))
    # At the ends the bound is the share itself; said outright, as rounding would leave 1e-17 there.
    low = 0.0 if successes == 0 else (middle - half) / (n + z2)
    high = 1.0 if failures == 0 else (middle + half) / (n + z2)
    return low, high


def net_share(promoters: int, detractors: int, n: int, level: float = LEVEL) -> Interval:
    """Return the interval of (promoters - detractors) / n, three groups of a multinomial, in [-1, 1].

    Adjusted Wald with three pseudo-answers: 3/4 promoters, 3/4 detractors, the rest passives.
    Rocks 2016, "Interval Estimation for the Net Promoter Score"; of one family with Bonett & Price 2012.
    Raises ValueError unless the counts fit into n > 0.
    """
    if min(promoters, detractors) < 0 or promoters + detractors > n or n <= 0:
        raise ValueError(f"{promoters} promoters and {detractors} detractors do not fit into n = {n}")
    size = n + 3
    up, down = (promoters + 0.75) / size, (detractors + 0.75) / size
    half = normal_quantile(level) * math.sqrt((up + down - (up - down) ** 2) / size)
    value = (promoters - detractors) / n
    return max(-1.0, min(value, up - down - half)), min(1.0, max(value, up - down + half))


def bounded_mean(mean: float, variance: float, n: int, bounds: Interval, level: float = LEVEL) -> Interval:
    """Return Student's interval of a mean, clipped to `bounds`; `variance` is one answer's (ddof 1).

    One answer tells nothing of the spread, so its interval is the whole scale. Where all answers agree,
    Student's interval would shrink to a point and claim too much: then Wilson's bound for "n of n agree" says
    which share may still differ, and that share may lie at the far end of the scale. Raises ValueError unless
    n > 0 and the mean lies within the bounds.
    """
    bottom, top = bounds
    slack = 1e-9 * (top - bottom)
    if n <= 0 or not bottom - slack <= mean <= top + slack:
        raise ValueError(f"mean {mean} of n = {n} is not on the scale {bottom}..{top}")
    mean = min(max(mean, bottom), top)
    if n == 1:
        return bottom, top
    # Sums of squares of floats leave a dust of 1e-16 where the true variance is zero.
    if variance <= 1e-14 * (top - bottom) ** 2:
        may_differ = 1 - wilson(n, n, level)[0]
        return mean - may_differ * (mean - bottom), mean + may_differ * (top - mean)
    half = student_quantile(n - 1, level) * math.sqrt(variance / n)
    return max(bottom, mean - half), min(top, mean + half)


def clustered_ratio(
    n: int,
    earned: float,
    possible: float,
    residual_squares: float,
    level: float = LEVEL,
) -> Interval:
    """Return the interval of earned/possible over n clusters, as fractions in [0, 1].

    Linearised ratio estimator (Cochran 1977, "Sampling Techniques", 2.11 and 6.4): each cluster's residual is
    earned_i - ratio * possible_i, `residual_squares` their sum of squares; Student's t with n - 1 degrees.
    Raises ValueError unless 0 <= earned <= possible and possible > 0.
    """
    if possible <= 0:
        raise ValueError("no possible points, no ratio")
    variance_of_one = n * n / (n - 1) * max(0.0, residual_squares) / possible**2 if n > 1 else 0.0
    return bounded_mean(earned / possible, variance_of_one, n, (0.0, 1.0), level)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not at {level}")
