"""Facts read from metadata files, so that nobody types them. Pure: bytes in, facts and problems out.

`reading.read_source` reads one file, `derive.derive` adds what follows from facts that are already there.
"""
