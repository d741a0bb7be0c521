"""Quantiles that intervals are made of: Student's t and the beta distribution, by the regularised incomplete beta."""

import math
from functools import lru_cache
from statistics import NormalDist

_BISECTIONS = 60
_LONGEST_FRACTION = 10_000
_TINY = 1e-300


@lru_cache(maxsize=4096)
def student_quantile(probability: float, degrees: float) -> float:
    """The quantile of Student's t for a probability above one half and `degrees` > 0 degrees of freedom.

    P(T > t) = I(ν/(ν + t²); ν/2, 1/2) / 2 (Abramowitz and Stegun 1964, 26.7.1 and 26.5.27), inverted.
    """
    if degrees > 10_000:
        return NormalDist().inv_cdf(probability)
    x = beta_quantile(2 * (1 - probability), degrees / 2, 0.5)
    return math.sqrt(degrees * (1 - x) / x)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x with I(x; a, b) = `probability`, for a, b > 0, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if incomplete_beta(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I(x; a, b), by its continued fraction (NIST DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly: I(x; a, b) = 1 − I(1 − x; b, a)
        return 1 - _by_fraction(1 - x, b, a)
    return _by_fraction(x, a, b)


def _by_fraction(x: float, a: float, b: float) -> float:
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(scale) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d₁/(1 + d₂/(1 + …)) by Lentz's method (Press et al. 2007, *Numerical Recipes*, §5.2)."""
    value, upper, lower = 1.0, 1.0, 0.0
    for step in range(1, _LONGEST_FRACTION):
        half, is_odd = divmod(step, 2)
        if is_odd:
            d = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            d = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        lower = 1 / (1 + d * lower or _TINY)
        upper = 1 + d / upper or _TINY
        value *= lower * upper
        if abs(lower * upper - 1) < 1e-15:
            break
    return value
