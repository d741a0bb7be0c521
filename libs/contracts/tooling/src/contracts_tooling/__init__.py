"""Development tools of the published language: they generate its files, record golden data and check changes.

Installed in a developer's environment only. The wheel of `contracts` and the services' image do not have it.
"""
