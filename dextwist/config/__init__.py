"""What the operator wrote: YAML in, frozen attrs out, with every mistake named at once.

`configuration` has the whole and `load`; each section is a module that reads like a table of its keys.
`document` knows YAML, `places` what stands where and what is wrong with it, `reading` how a table is
read, `values` the kinds of values. `not_yet` lists what is accepted but not built, `weakenings` what is
less safe than the default. Nothing here opens a connection; only what starts and wires the daemon
imports it.
"""
