"""Faults against daemons in processes of their own: kills, locks, full disks, signals, floods.

A fault may cost an answer, never a rule: `case` has daemons and what must hold of their databases, `party`
the clients, `crowd` many of them at once, `disk` the faults of disks. Every wait has an end.
"""
