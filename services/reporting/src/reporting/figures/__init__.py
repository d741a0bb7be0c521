"""Figures: a metric of the registry, counted from the projections, with its complete description."""

from reporting.figures.question import Question, check, metric_of
from reporting.figures.views import FIGURE_REFUSALS, TooManyRows, figure

__all__ = ["FIGURE_REFUSALS", "Question", "TooManyRows", "check", "figure", "metric_of"]
