"""The functional core: what users, jobs, rules and domains are and what may happen to them. No I/O, no clock."""
