"""Evaluation: forms, scores, double-blind, appeals, calibration, typical cases, the auditors' report."""
