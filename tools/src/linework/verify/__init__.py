"""The laws, checked on a running installation.

`laws` folds the stream and notes what breaks a law; `figures` says which figures are held against the recount
(`linework.recount`); `states` holds a service's orders against the fold. These are pure. `stream` reads the
stream, `quiet` waits until everything on its way has arrived, `run` puts them together, `report` shows what was
found.
"""
