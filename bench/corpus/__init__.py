"""An inert, labelled corpus of machine-learning model files for judging scanners.

Nothing here is committed as a binary: every file is assembled from this code, and every payload is harmless
even if some loader were to execute it (`true`, `pass`, `echo waag-inert`, hosts under `example.invalid`,
paths under `/nonexistent`). See ../README.md.
"""
