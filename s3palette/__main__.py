"""`python -m s3palette` is the `s3palette` command."""

from s3palette.cli import main

main()
