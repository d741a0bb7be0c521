"""Figures: a metric of the registry, counted from the projections, with everything that says what it is."""

from reporting.figures.question import Question, check, metric_of
from reporting.figures.views import FIGURE_REFUSALS, TooManyRows, figure

__all__ = ["FIGURE_REFUSALS", "Question", "TooManyRows", "check", "figure", "metric_of"]
