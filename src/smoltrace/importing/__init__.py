"""Importing: traces that others made become runs with books.

files       OTLP in files: JSON lines, one document, gzip, protobuf
receiver    OTLP over HTTP; what it acknowledges is in the spool, on the disk
listening   receives until it is enough, then imports the spool
decoding    from OTLP JSON, as exporters really write it, to spans
secrecy     what of them may be kept, held to before anything is written
spill       the spans of each trace together, whatever order they came in, with flat memory
traces      one trace made whole: each span once, no circles, prompts kept once
told        what a trace tells of the test that it is an execution of
costs       what calls cost where their trace tells it
executions  from a trace to what a journal keeps of a test
plans, seen, runs
            which runs are made, what is seen meanwhile, and how they come into the store
otlp        `import_files`
"""
