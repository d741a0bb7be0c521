"""Implementation of `linework up`, `down` and `status`."""
